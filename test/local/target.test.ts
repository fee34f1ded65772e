import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import "./folders";
import { Failure } from "../../common/failure";
import { stackFile } from "../../common/localStack";
import { requireOwnSecrets, usesCharts } from "../../local/target";

describe("the stack of npm run up", () => {
  // Beside the real stack files, as `npm run up` looks for it there.
  const stack = `test-${process.pid}`;
  const write = (head: string): void =>
    writeFileSync(stackFile(stack), `${head}config:\n  temporal-stack:temporal:\n    mode: devServer\n`);

  after(() => rmSync(stackFile(stack), { force: true }));

  const refused = (work: () => void): string => {
    try {
      work();
    } catch (error) {
      assert.ok(error instanceof Failure);
      return `${error.message}; ${error.remedy}`;
    }
    throw new Error("nothing was refused");
  };

  it("tells whether charts are needed", () => {
    assert.deepEqual(["local", "dev", "prod"].map(usesCharts), [false, true, true]);
    writeFileSync(stackFile(stack), "x: &chart { mode: chart }\nconfig: { temporal: { <<: *chart } }\n");
    assert.equal(usesCharts(stack), true, "as the engine reads it");
  });

  it("may have secrets of this machine's passphrase only", () => {
    write("");
    requireOwnSecrets(stack, undefined);
    write("encryptionsalt: v1:ours\n");
    requireOwnSecrets(stack, "v1:ours");
    for (const salt of [undefined, "v1:other"]) {
      assert.match(
        refused(() => requireOwnSecrets(stack, salt)),
        /is deployed elsewhere; deploy it with pulumi up -s test-/,
      );
    }
    write("secretsprovider: awskms://alias/key\n");
    assert.match(
      refused(() => requireOwnSecrets(stack, "v1:ours")),
      /key service/,
    );
  });
});
