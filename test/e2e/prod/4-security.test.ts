import assert from "node:assert/strict";
import { privilegedPodAnswer, refusedCopies } from "../checks/podSecurity";
import { secretLeaks } from "../checks/secrets";
import { NAMESPACES, sql } from "./support";

describe("stack prod", () => {
  for (const namespace of NAMESPACES) {
    it(`runs only pods in ${namespace} that Pod Security restricted takes`, async () => {
      const { tried, refused } = await refusedCopies(namespace);
      assert.ok(tried > 0);
      assert.deepEqual(refused, []);
      assert.match((await privilegedPodAnswer(namespace)) ?? "", /violates PodSecurity "restricted/);
    });
  }

  it("shows its secrets nowhere in state, outputs or logs", async () => {
    const { secrets, leaks } = await secretLeaks(NAMESPACES);
    assert.ok(secrets > 0, "the stack has no secrets to look for");
    assert.deepEqual(leaks, []);
  });

  it("talks to Postgres over TLS only", async () => {
    const connections = await sql(
      "SELECT count(*) FILTER (WHERE ssl), count(*) FILTER (WHERE NOT ssl) FROM pg_stat_ssl " +
        "JOIN pg_stat_activity USING (pid) WHERE usename LIKE 'temporal_%'",
    );
    const [secure, open] = connections.trim().split("|").map(Number);
    assert.ok((secure ?? 0) > 0);
    assert.equal(open, 0);
  });
});
