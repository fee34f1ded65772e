import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { requireStackFile } from "../../common/stackFiles";
import { UsageFailure } from "../../common/usageFailure";

const root = join(__dirname, "../..");

describe("a stack without a file", () => {
  const refusal = (stack: string, folder?: string): string => {
    try {
      requireStackFile(stack, folder);
    } catch (error) {
      assert.ok(error instanceof UsageFailure);
      return `${error.message}; ${error.remedy}`;
    }
    return "";
  };

  it("is refused, and the message names those that have one", () => {
    for (const known of ["local", "dev", "prod"]) assert.equal(refusal(known), "");
    assert.match(refusal("staging"), /no Pulumi\.staging\.yaml .*name one of: dev, local, prod/);
  });

  it("is looked for elsewhere where there are no stack files", () => {
    const folder = mkdtempSync(join(tmpdir(), "temporal-stack-test-"));
    try {
      assert.match(refusal("prod", folder), /run the command in the stack's checkout/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  for (const [command, ...args] of [
    ["ci/charts"],
    ["ci/deploy"],
    ["ops/rotate", "--dry-run"],
    ["ops/deployer", "--user", "somebody"],
  ]) {
    it(`ends ${command ?? ""} as a wrong argument, with the same words`, async () => {
      const { exitCode, stderr } = await execa(
        process.execPath,
        ["--require", "sucrase/register/ts", `${command ?? ""}.ts`, "--stack", "staging", ...args],
        { cwd: root, reject: false },
      );
      assert.equal(exitCode, 78, stderr);
      assert.match(stderr, /no Pulumi\.staging\.yaml .*\n.*name one of: dev, local, prod/);
    });
  }
});
