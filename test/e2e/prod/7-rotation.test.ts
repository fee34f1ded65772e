import assert from "node:assert/strict";
import { execa } from "execa";
import { adminKubeconfig } from "../../../local/cluster/native/pki";
import { commandPath } from "../../../toolchain/install";
import { programs } from "../../../toolchain/programs";
import { kubectl, run, sourcedEnvironment } from "../support";
import { underLoad } from "../load";
import { allComplete } from "../orders";
import { primary } from "../../support/faults";

async function passwordOf(role: string): Promise<string> {
  const secret = ["get", "secret", `temporal-pg-login-${role}`, "--namespace=temporal"];
  const encoded = await kubectl(...secret, "--output=jsonpath={.data.password}");
  return Buffer.from(encoded, "base64").toString("utf8");
}

/** Whether Postgres takes a login over the network, as Temporal's. */
async function logsIn(role: string, password: string): Promise<boolean> {
  const script =
    "read -r PGPASSWORD; export PGPASSWORD; " +
    `psql "host=temporal-pg-rw sslmode=require user=temporal_${role} dbname=temporal" -Atc "SELECT current_user"`;
  const { exitCode, stdout } = await execa(
    commandPath(programs.kubernetes, "kubectl"),
    [
      ...["--kubeconfig", adminKubeconfig, "exec", "--stdin", "--namespace=temporal", await primary()],
      ...["--container=postgres", "--", "sh", "-c", script],
    ],
    { input: `${password}\n`, reject: false },
  );
  // What it makes belongs to the owner, whoever logs in.
  if (exitCode === 0) assert.equal(stdout.trim(), "temporal");
  return exitCode === 0;
}

const rotate = (...args: string[]) =>
  run(["npm", "run", "rotate", "--", "--stack", "prod", ...args], { env: sourcedEnvironment() });

describe("npm run rotate", () => {
  it("shows what it would do", async () => {
    const { exitCode, output } = await rotate("--dry-run");
    assert.equal(exitCode, 0, output);
    assert.match(output, /1\. Temporal moves to role b; pulumi up/);
    assert.match(output, /2\. new password for role a/);
  });

  it("changes nothing without a confirmation", async () => {
    const { exitCode, output } = await rotate();
    assert.equal(exitCode, 1, output);
    assert.match(output, /cannot ask for confirmation: stdin is not a terminal/);
  });

  it("changes the password under load, and refuses nobody", async () => {
    const old = await passwordOf("a");
    assert.ok(await logsIn("a", old));
    let output = "";
    const { accepted, refused } = await underLoad(async () => {
      const rotation = await rotate("--yes");
      assert.equal(rotation.exitCode, 0, rotation.output);
      output = rotation.output;
    });
    assert.equal(refused, 0);
    await allComplete(accepted);
    assert.equal(await logsIn("a", old), false);
    assert.ok(await logsIn("a", await passwordOf("a")));
    assert.ok(await logsIn("b", await passwordOf("b")));
    for (const text of [old, await passwordOf("a"), await passwordOf("b")]) assert.ok(!output.includes(text));
  });
});
