import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { exitCodes } from "../../../common/exitCodes";
import { ownPolicyPacks } from "../../../ops/report/runPreview";
import { type Change, OfflineStack } from "../offlineStack";
import { checkout, type Finished, repository, run } from "../support";

/*
 * The commands as people run them, on stack prod with the real engine and the real providers; no cluster.
 */

const PASSWORD = "correct-horse-battery";

describe("npm run preview, promote and drift, without the cluster", () => {
  const stack = new OfflineStack();
  const report = join(stack.folder, "report.md");

  const command = (name: string, ...args: string[]): Promise<Finished> =>
    run(["npm", "run", "--silent", name, "--", ...args], { env: stack.environment });

  async function preview(change?: Change, ...more: string[]): Promise<Finished & { markdown: string }> {
    stack.writeConfig(change);
    const args = ["-s", "prod", "--config-file", stack.configFile, "--markdown", report, ...more];
    return { ...(await command("preview", ...args)), markdown: readFileSync(report, "utf8") };
  }

  before(async () => {
    await stack.create();
    await stack.deploy();
  });
  after(() => stack.close());

  it("ends with 0 when nothing would change, and says that the cluster does not answer", async () => {
    const { exitCode, output, markdown } = await preview(undefined, "--no-policy-pack");
    assert.equal(exitCode, 0, output);
    assert.match(output, /no changes, \d+ unchanged/);
    assert.match(output, /what the cluster says to it: it cannot be reached/);
    assert.match(markdown, /no changes/);
  });

  it("ends with 2 for a change, and names scale and setting, old and new", async () => {
    const change: Change = (text) => text.replace("min: 3", "min: 4");
    const { exitCode, output, markdown } = await preview(change, "--no-policy-pack");
    assert.equal(exitCode, 2, output);
    assert.match(output, /Scaling\n {2}- worker-orders-autoscaler: spec\.minReplicas: 3 → 4/);
    assert.match(output, /- temporal-stack:workers\[orders\]\.replicas\.min: 3 → 4/);
    assert.match(markdown, /`worker-orders-autoscaler: spec\.minReplicas`: `3` → `4`/);
    assert.match(markdown, /<details><summary>Full diff \(1 resource\)<\/summary>/);
  });

  it("ends with 3 when a guard refuses, and says why", async () => {
    const change: Change = (text) => text.replace("historyShards: 512", "historyShards: 1024");
    const { exitCode, output, markdown } = await preview(change, "--no-policy-pack");
    assert.equal(exitCode, 3, output);
    for (const text of [output, markdown]) {
      assert.match(text, /temporal\.historyShards: deployed is 512, found 1024/);
    }
  });

  it("ends with 3 when a policy refuses", async function () {
    if (ownPolicyPacks().length === 0) this.skip();
    const { exitCode, output } = await preview((text) => text.replace("min: 3", "min: 1"));
    assert.equal(exitCode, 3, output);
    assert.match(output, /Refused by policies\n(.*\n)* {2}- redundancy on worker-orders-deployment/);
  });

  it("ends with 1 for a wrong setting", async () => {
    const { exitCode, output, markdown } = await preview((text) => text.replace("min: 3", "min: 30"));
    assert.equal(exitCode, 1, output);
    assert.match(markdown, /the autoscaler's maximum \(20\) is below its minimum/);
  });

  it("shows no secret of the settings, only its name", async () => {
    stack.writeConfig();
    const set = ["config", "set", "--stack", "prod", "--config-file", stack.configFile, "--path"];
    const key = "temporal-stack:workerImage.pullSecret";
    const plain = await stack.pulumi([...set, `${key}.username`, "puller"], checkout);
    assert.equal(plain.exitCode, 0, plain.stderr);
    const secret = await stack.pulumi([...set, "--secret", `${key}.password`, PASSWORD], checkout);
    assert.equal(secret.exitCode, 0, secret.stderr);
    const args = [
      "-s",
      "prod",
      "--config-file",
      stack.configFile,
      "--markdown",
      report,
      "--no-policy-pack",
      "--diff",
    ];
    const { exitCode, output } = await command("preview", ...args);
    assert.equal(exitCode, 2, output);
    assert.match(output, /temporal-stack:workerImage\.pullSecret\.password: not set → \(secret\)/);
    const encoded = Buffer.from(PASSWORD).toString("base64");
    for (const text of [output, readFileSync(report, "utf8")]) {
      assert.ok(!text.includes(PASSWORD) && !text.includes(encoded), text);
    }
  });

  it("leaves the stack files as they were", async () => {
    assert.equal(
      readFileSync(join(checkout, "Pulumi.prod.yaml"), "utf8"),
      readFileSync(join(repository, "Pulumi.prod.yaml"), "utf8"),
    );
  });

  it("says what is wrong: the passphrase, the stack", async () => {
    stack.writeConfig();
    const args = [
      "--silent",
      "preview",
      "--",
      "-s",
      "prod",
      "--config-file",
      stack.configFile,
      "--markdown",
      report,
    ];
    const env = { ...stack.environment, PULUMI_CONFIG_PASSPHRASE: "wrong" };
    const wrong = await run(["npm", "run", ...args], { env });
    assert.equal(wrong.exitCode, 1);
    assert.match(wrong.output, /the secrets of stack prod cannot be decrypted: the passphrase is wrong/);
    assert.match(readFileSync(report, "utf8"), /Preview of stack `prod`: FAILED/);
    const none = await command("preview", "-s", "nowhere");
    assert.equal(none.exitCode, exitCodes.usage);
    assert.match(none.output, /there is no stack nowhere on this backend/);
  });

  it("drift: has no answer without the cluster", async () => {
    const { exitCode, output } = await command("drift", "-s", "prod", "--config-file", stack.configFile);
    assert.equal(exitCode, 1, output);
    assert.match(output, /the cluster cannot be reached .*: nothing was compared/);
  });

  describe("promote", () => {
    const digest = `sha256:${"2".repeat(64)}`;
    const file = join(checkout, "Pulumi.prod.yaml");
    const git = (...args: string[]) => execa("git", args, { cwd: checkout });

    /** Stack `dev`, which runs what `prod` does, but another worker and the versions that a change makes of it. */
    async function deployDev(change: (state: string) => string): Promise<void> {
      const { stdout } = await stack.pulumi(["stack", "export", "--stack", "prod"]);
      const state = change(stdout.replaceAll("urn:pulumi:prod::", "urn:pulumi:dev::"))
        .replaceAll("temporal-stack-prod", "temporal-stack-dev")
        .replaceAll(`sha256:${"1".repeat(64)}`, digest);
      const source = join(stack.folder, "dev.json");
      writeFileSync(source, state);
      const { exitCode, stderr } = await stack.pulumi([
        "stack",
        "import",
        "--stack",
        "dev",
        "--file",
        source,
      ]);
      assert.equal(exitCode, 0, stderr);
    }

    before(async () => {
      const { exitCode, stderr } = await stack.pulumi(["stack", "init", "dev"]);
      assert.equal(exitCode, 0, stderr);
      await git("init", "--quiet");
      await git("add", "Pulumi.prod.yaml");
      await git(
        "-c",
        "user.name=test",
        "-c",
        "user.email=test@example.com",
        "commit",
        "--quiet",
        "-m",
        "start",
      );
    });
    afterEach(() => git("checkout", "--", "Pulumi.prod.yaml"));

    it("writes the digest and the versions that run, and shows the change", async () => {
      await deployDev((state) => state.replaceAll(/"1\.31\.2@sha256:[0-9a-f]{64}"/g, '"1.31.3"'));
      const dry = await command("promote", "--from", "dev", "--to", "prod", "--dry-run");
      assert.equal(dry.exitCode, 0, dry.output);
      assert.equal((await git("status", "--porcelain", "Pulumi.prod.yaml")).stdout, "");
      const { exitCode, output } = await command("promote", "--from", "dev", "--to", "prod");
      assert.equal(exitCode, 0, output);
      assert.match(output, new RegExp(`\\n\\+ {4}digest: ${digest}\\n`));
      assert.match(output, /\n\+ {6}server: temporalio\/server:1\.31\.3\n/);
      const { stdout } = await git("diff", "--numstat", "Pulumi.prod.yaml");
      assert.match(stdout, /^\d+\t0\t/, "lines are added only");
      const again = await command("promote", "--from", "dev", "--to", "prod");
      assert.equal(again.exitCode, 1, "what is not committed is not mixed with");
      assert.match(again.output, /Pulumi\.prod\.yaml has changes that are not committed/);
    });

    it("refuses what the guards of the target would refuse", async () => {
      await deployDev((state) => state.replaceAll(/"1\.31\.2@sha256:[0-9a-f]{64}"/g, '"1.33.0"'));
      const before = readFileSync(file, "utf8");
      const { exitCode, output } = await command("promote", "--from", "dev", "--to", "prod");
      assert.equal(exitCode, 3, output);
      assert.match(output, /the server goes up one minor version at a time/);
      assert.equal(readFileSync(file, "utf8"), before);
    });
  });
});
