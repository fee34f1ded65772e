import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { stringify } from "yaml";
import { PROJECT_ROOT } from "../program/stack";

describe("npm run ci:kubeconfig", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-kubeconfig-"));
  const written = join(folder, "kubeconfig.yaml");
  const kubeconfig = (user: unknown) =>
    stringify({
      "current-context": "cluster",
      contexts: [{ name: "cluster", context: { cluster: "cluster", user: "job" } }],
      users: [{ name: "job", user }],
    });
  const run = (content: string, env: Readonly<Record<string, string>> = {}) =>
    execa(process.execPath, ["--require", "sucrase/register/ts", "ci/kubeconfig.ts"], {
      cwd: PROJECT_ROOT,
      reject: false,
      env: {
        KUBECONFIG_CONTENT: content,
        RUNNER_TEMP: folder,
        GITHUB_ENV: join(folder, "environment"),
        GITHUB_ACTOR: "somebody",
        ...env,
      },
    });

  afterEach(() => rmSync(written, { force: true }));
  after(() => rmSync(folder, { recursive: true }));

  it("writes it for its owner only", async () => {
    const content = kubeconfig({ exec: { command: "sh", args: ["-c", "true"] } });
    const { exitCode, stderr } = await run(content);
    assert.equal(exitCode, 0, stderr);
    assert.equal(readFileSync(written, "utf8"), content);
    assert.equal(statSync(written).mode & 0o777, 0o600);
    assert.equal(readFileSync(join(folder, "environment"), "utf8"), `KUBECONFIG=${written}\n`);
  });

  it("takes users without a program", async () => {
    for (const user of [null, {}, { token: "secret" }, { exec: null }]) {
      const { exitCode, stderr } = await run(kubeconfig(user));
      assert.equal(exitCode, 0, stderr);
    }
  });

  it("refuses one whose program is not on PATH, and shows nothing else of it", async () => {
    const { exitCode, stdout, stderr } = await run(
      kubeconfig({ token: "secret-of-the-job", exec: { command: "no-such-auth-plugin" } }),
    );
    assert.equal(exitCode, 1);
    assert.match(stderr, /the kubeconfig runs no-such-auth-plugin, which is not on PATH/);
    assert.doesNotMatch(stdout + stderr, /secret-of-the-job/);
    assert.ok(!existsSync(written));
  });

  it("says why a run of Dependabot has none", async () => {
    const { exitCode, stderr } = await run("", { GITHUB_ACTOR: "dependabot[bot]" });
    assert.equal(exitCode, 1);
    assert.match(
      stderr,
      /KUBECONFIG_CONTENT is empty\n→ GitHub gives no secrets to runs that Dependabot started/,
    );
  });
});
