import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { removeServicePolicy, withoutStartingServices } from "../../toolchain/debian";

describe("the policy that keeps Debian from starting what is installed", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-policy-"));
  const policy = join(folder, "policy-rc.d");
  const FOREIGN = "#!/bin/sh\nexit 101\n";

  beforeEach(() => rmSync(policy, { force: true }));
  after(() => rmSync(folder, { recursive: true }));

  it("is there while packages are installed, and gone afterwards, also when that fails", async () => {
    await withoutStartingServices(async () => {
      await Promise.resolve();
      assert.match(readFileSync(policy, "utf8"), /^exit 101$/m);
      assert.equal(statSync(policy).mode & 0o777, 0o755);
    }, policy);
    assert.equal(existsSync(policy), false);
    await assert.rejects(
      withoutStartingServices(() => Promise.reject(new Error("no mirror")), policy),
      /no mirror/,
    );
    assert.equal(existsSync(policy), false);
  });

  it("of the machine's own stays as it was", async () => {
    writeFileSync(policy, FOREIGN);
    await withoutStartingServices(() => Promise.resolve(), policy);
    removeServicePolicy(policy);
    assert.equal(readFileSync(policy, "utf8"), FOREIGN);
  });

  /** Another process that leaves in the middle of an installation. */
  async function leave(how: string): Promise<void> {
    const debian = JSON.stringify(resolve(__dirname, "../../toolchain/debian"));
    const script =
      `require(${debian}).withoutStartingServices(async () => { ${how}; await new Promise(() => setTimeout(() => {}, 60000)); }, ` +
      `${JSON.stringify(policy)})`;
    await once(spawn(process.execPath, ["--require", "sucrase/register/ts", "--eval", script]), "exit");
  }

  it("goes with an interrupted command", async () => {
    await leave("process.exit(130)");
    assert.equal(existsSync(policy), false);
  });

  it("of a killed command goes with the next run, or with down", async () => {
    const killed = 'process.kill(process.pid, "SIGKILL")';
    await leave(killed);
    assert.equal(existsSync(policy), true);
    await withoutStartingServices(() => Promise.resolve(), policy);
    assert.equal(existsSync(policy), false);
    await leave(killed);
    removeServicePolicy(policy);
    assert.equal(existsSync(policy), false);
  });
});
