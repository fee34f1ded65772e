import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { state } from "../../common/paths";
import { privilegedPodAnswer, refusedCopies } from "./checks/podSecurity";
import { filesBelow, secretLeaks } from "./checks/secrets";

const NAMESPACES = ["temporal", "temporal-workers"];

describe("Pod Security restricted", () => {
  for (const namespace of NAMESPACES) {
    it(`is passed by every pod of ${namespace}, asked of the API server itself`, async () => {
      const { tried, refused } = await refusedCopies(namespace);
      assert.ok(tried > 0);
      assert.deepEqual(refused, []);
    });

    it(`refuses a pod that does not meet it in ${namespace}`, async () => {
      assert.match((await privilegedPodAnswer(namespace)) ?? "", /violates PodSecurity "restricted/);
    });
  }
});

describe("generated secrets", () => {
  it("occur nowhere in state, outputs or logs", async () => {
    const { secrets, leaks } = await secretLeaks(NAMESPACES);
    assert.ok(secrets > 0, "the stack has no secrets to look for");
    assert.deepEqual(leaks, []);
  });

  it("are kept on this machine in files that only their owner reads", () => {
    for (const file of [state("passphrase"), ...filesBelow(state("codec-keys"))]) {
      assert.equal(statSync(file).mode & 0o077, 0, file);
    }
  });
});
