import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { absolutePaths } from "../../common/absolutePaths";
import { checkout } from "../../common/paths";
import { cliOf, runCli } from "../../common/pulumi";

describe("paths of the CLI's environment", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "temporal-stack-paths-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** The environment has a CLI that is logged in nowhere. */
  const inFolder = (environment: Record<string, string>) =>
    absolutePaths({ PULUMI_HOME: join(folder, "home"), ...environment }, folder);
  const backend = (url: string) => inFolder({ PULUMI_BACKEND_URL: url })["PULUMI_BACKEND_URL"];

  it("are those that the project's folder gives them, in every other folder", () => {
    assert.equal(backend("file://./state"), `file://${folder}/state`);
    assert.equal(backend("file://state?no_tmp_dir=true"), `file://${folder}/state?no_tmp_dir=true`);
    assert.equal(backend("file://../state"), `file://${join(folder, "..", "state")}`);
    assert.deepEqual(
      inFolder({
        KUBECONFIG: "one::/two:sub/three",
        PULUMI_CONFIG_PASSPHRASE_FILE: "passphrase",
        GOOGLE_APPLICATION_CREDENTIALS: "/gcp.json",
      }),
      {
        KUBECONFIG: `${folder}/one::/two:${folder}/sub/three`,
        PULUMI_CONFIG_PASSPHRASE_FILE: `${folder}/passphrase`,
      },
    );
    assert.equal(absolutePaths({ PULUMI_HOME: "home" }, folder)["PULUMI_HOME"], join(folder, "home"));
  });

  it("leave alone what means the same everywhere", () => {
    for (const url of [
      "file:///srv/state",
      "file://~",
      "file://~/state",
      "s3://state",
      "https://api.pulumi.com",
    ]) {
      assert.equal(backend(url), undefined, url);
    }
    assert.deepEqual(inFolder({ KUBECONFIG: "/a:/b", PULUMI_CONFIG_PASSPHRASE_FILE: "" }), {});
    assert.deepEqual(inFolder({}), {});
  });

  it("include the backend of the project file and that of the login, which the environment goes before", () => {
    mkdirSync(join(folder, "home"));
    const credentials = { current: "file://./login", accessTokens: { "file://./login": "hunter2" } };
    writeFileSync(join(folder, "home/credentials.json"), JSON.stringify(credentials));
    assert.deepEqual(inFolder({}), { PULUMI_BACKEND_URL: `file://${folder}/login` });
    writeFileSync(join(folder, "Pulumi.yaml"), "name: x\nbackend:\n  url: file://./project\n");
    assert.deepEqual(inFolder({}), { PULUMI_BACKEND_URL: `file://${folder}/project` });
    assert.deepEqual(inFolder({ PULUMI_BACKEND_URL: "s3://x" }), {});
  });

  it("reach the CLI, whatever folder it runs in", async () => {
    const cli = join(folder, "pulumi");
    writeFileSync(cli, '#!/bin/sh\necho "$PULUMI_BACKEND_URL"\n', { mode: 0o755 });
    const { PATH, PULUMI_BACKEND_URL: outside } = process.env;
    try {
      process.env["PATH"] = `${folder}:${PATH ?? ""}`;
      process.env["PULUMI_BACKEND_URL"] = "file://./state";
      const { stdout } = await runCli(cliOf("of-nobody"), ["whoami"], { cwd: folder });
      assert.equal(stdout, `file://${checkout}/state`);
    } finally {
      process.env["PATH"] = PATH;
      if (outside === undefined) delete process.env["PULUMI_BACKEND_URL"];
      else process.env["PULUMI_BACKEND_URL"] = outside;
    }
  });
});
