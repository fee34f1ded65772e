import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { exitCodes } from "../../../common/exitCodes";
import { checkout } from "../../../common/paths";
import { pulumiHome } from "../../../common/localStack";
import { programFolder } from "../../../toolchain/install";
import { programs } from "../../../toolchain/programs";
import { OfflineEngine } from "../../support/offlineEngine";

const TOKEN = "token-that-nobody-may-see";
const KUBECONFIG = `apiVersion: v1
kind: Config
current-context: prod
contexts: [{ name: prod, context: { cluster: prod, user: prod } }]
clusters: [{ name: prod, cluster: { server: "https://127.0.0.1:1" } }]
users: [{ name: prod, user: { token: ${TOKEN} } }]
`;

/** The commands of pipelines that tests of their parts do not cover, as steps of a job run them. */
describe("commands of pipelines", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-pipelines-"));
  const environment = {
    GITHUB_ENV: join(folder, "env"),
    GITHUB_OUTPUT: join(folder, "output"),
    GITHUB_STEP_SUMMARY: join(folder, "summary"),
    RUNNER_TEMP: folder,
  };

  async function run(
    command: string,
    args: readonly string[],
    { env = {} }: { readonly env?: NodeJS.ProcessEnv } = {},
  ) {
    const program = [
      ...["--require", join(checkout, "node_modules/sucrase/register/ts.js")],
      ...[join(checkout, "ci", command), ...args],
    ];
    const { exitCode, all } = await execa(process.execPath, program, {
      cwd: checkout,
      env: { ...environment, ...env },
      all: true,
      reject: false,
    });
    return { exitCode, output: all };
  }

  after(() => rmSync(folder, { recursive: true }));

  it("ci:kubeconfig writes it for its owner only, and tells the later steps where it is", async () => {
    const { exitCode, output } = await run("kubeconfig.ts", [], { env: { KUBECONFIG_CONTENT: KUBECONFIG } });
    assert.equal(exitCode, 0, output);
    const file = join(folder, "kubeconfig.yaml");
    assert.equal(readFileSync(environment.GITHUB_ENV, "utf8"), `KUBECONFIG=${file}\n`);
    assert.equal(readFileSync(file, "utf8"), KUBECONFIG);
    assert.equal(statSync(file).mode & 0o077, 0);
  });

  it("ci:kubeconfig refuses what is none, without a word of it", async () => {
    for (const content of [
      "",
      KUBECONFIG.replace("current-context: prod", "current-context: dev"),
      `{ ${TOKEN}`,
    ]) {
      const { exitCode, output } = await run("kubeconfig.ts", [], { env: { KUBECONFIG_CONTENT: content } });
      assert.equal(exitCode, 1, output);
      assert.match(output, /→ (?:set the secret|make it with)/);
      assert.ok(!output.includes(TOKEN));
    }
  });

  it("ci:deploy refuses an image that no earlier stack has proven, before it does anything", async () => {
    const image = `registry.example.com/worker@sha256:${"1".repeat(64)}`;
    for (const proven of [image, ""]) {
      const { exitCode, output } = await run("deploy.ts", ["-s", "prod", "--image", proven], {
        env: { PATH: join(process.execPath, "..") },
      });
      assert.equal(exitCode, 1, output);
      assert.match(output, /Pulumi\.prod\.yaml names .*; proven is [^]*branch promote\/prod/);
    }
  });

  it("ci:deploy and smoke name a stack that the backend does not have", async () => {
    mkdirSync(join(folder, "backend"));
    const env = {
      PATH: [programFolder(programs.pulumi), process.env["PATH"]].join(":"),
      PULUMI_BACKEND_URL: `file://${join(folder, "backend")}`,
      PULUMI_CONFIG_PASSPHRASE: "pipelines",
      PULUMI_HOME: pulumiHome,
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
    const deploy = await run("deploy.ts", ["-s", "dev"], { env });
    assert.equal(deploy.exitCode, exitCodes.usage, deploy.output);
    assert.match(deploy.output, /there is no stack dev on this backend/);
    const smoke = await run("../ops/smoke.ts", ["-s", "dev"], { env });
    assert.equal(smoke.exitCode, exitCodes.usage, smoke.output);
    assert.match(smoke.output, /there is no stack dev on this backend/);
  });

  it("ci:preview keeps report and outcome, and does not fail because something would change", async () => {
    const engine = new OfflineEngine();
    try {
      await engine.start("dev");
      const file = engine.writeStackFile("dev", (text) => text);
      for (const [stack, preview, expected, own] of [
        ["dev", exitCodes.changes, exitCodes.ok, { PULUMI_OPTION_CONFIG_FILE: file }],
        ["prod", exitCodes.usage, exitCodes.usage, {}],
      ] as const) {
        const reports = join(folder, "reports");
        const env = { ...engine.environment, ...own };
        const result = await run("preview.ts", ["-s", stack, "--reports", reports], { env });
        assert.equal(result.exitCode, expected, result.output);
        const report = readFileSync(join(reports, `${stack}.md`), "utf8");
        assert.notEqual(report, "");
        const outcome: unknown = JSON.parse(readFileSync(join(reports, `${stack}.json`), "utf8"));
        assert.deepEqual(outcome, { stack, exitCode: preview });
        assert.ok(readFileSync(environment.GITHUB_STEP_SUMMARY, "utf8").includes(report));
      }
    } finally {
      engine.stop();
    }
  });
});
