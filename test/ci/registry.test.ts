import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { PROJECT_ROOT } from "../program/stack";

const ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";

describe("npm run ci:registry", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-registry-"));
  const calls = join(folder, "calls");

  /** Programs of clouds and Docker, which note how they were called. */
  function program(name: string, body: string): void {
    writeFileSync(join(folder, name), `#!/bin/sh\necho "${name} $*" >> ${calls}\n${body}\n`);
    chmodSync(join(folder, name), 0o755);
  }

  async function run(env: Readonly<Record<string, string>>, ...args: string[]) {
    rmSync(calls, { force: true });
    const { exitCode, stdout, stderr } = await execa(
      process.execPath,
      ["--require", "sucrase/register/ts", "ci/registry.ts", ...args],
      {
        cwd: PROJECT_ROOT,
        reject: false,
        extendEnv: false,
        env: { PATH: `${folder}:/usr/bin:/bin`, ...env },
      },
    );
    const lines = existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : [];
    return { exitCode, output: stdout + stderr, lines };
  }

  before(() => {
    for (const cloud of ["aws", "gcloud", "az"]) program(cloud, `echo token-of-${cloud}`);
    program("docker", `[ "$1" != login ] || echo "password $(cat)" >> ${calls}`);
  });
  after(() => rmSync(folder, { recursive: true }));

  it("logs in with the job's identity at each cloud, by the token on standard input", async () => {
    const logins = {
      aws: [
        ECR,
        "aws ecr get-login-password --region eu-central-1",
        `docker login --username AWS --password-stdin ${ECR}`,
        "password token-of-aws",
      ],
      google: [
        "europe-docker.pkg.dev",
        "gcloud auth print-access-token",
        "docker login --username oauth2accesstoken --password-stdin europe-docker.pkg.dev",
        "password token-of-gcloud",
      ],
      azure: [
        "mine.azurecr.io",
        "az acr login --name mine --expose-token --query accessToken --output tsv",
        "docker login --username 00000000-0000-0000-0000-000000000000 --password-stdin mine.azurecr.io",
        "password token-of-az",
      ],
    };
    for (const [method, [registry = "", ...expected]] of Object.entries(logins)) {
      const { exitCode, output, lines } = await run({ REGISTRY: registry, REGISTRY_LOGIN: method });
      assert.equal(exitCode, 0, output);
      assert.deepEqual(lines, expected);
      assert.doesNotMatch(output, /token-of/);
    }
  });

  it("sends the job's own token to its own registry only", async () => {
    const job = { GITHUB_ACTOR: "somebody", GITHUB_TOKEN: "token-of-the-job" };
    const own = await run({ ...job, REGISTRY: "", REGISTRY_LOGIN: "", REGISTRY_PASSWORD: "" });
    assert.deepEqual(own.lines, [
      "docker login --username somebody --password-stdin ghcr.io",
      "password token-of-the-job",
    ]);
    const other = await run({ ...job, REGISTRY: "docker.io" });
    assert.equal(other.exitCode, 1);
    assert.match(other.output, /no login for docker\.io: REGISTRY_USER and REGISTRY_PASSWORD not set/);
    assert.deepEqual(other.lines, []);
    const cloud = await run({ ...job, REGISTRY: ECR });
    assert.match(cloud.output, /set the variable REGISTRY_LOGIN of the job's environment to aws/);
    assert.deepEqual(cloud.lines, []);
  });

  it("logs in with a password, and out", async () => {
    const env = { REGISTRY: "registry.example.com", REGISTRY_USER: "robot", REGISTRY_PASSWORD: "secret" };
    assert.deepEqual((await run(env)).lines, [
      "docker login --username robot --password-stdin registry.example.com",
      "password secret",
    ]);
    assert.deepEqual((await run(env, "--logout")).lines, ["docker logout registry.example.com"]);
  });

  it("refuses a registry that is not the cloud's, and a way that there is not", async () => {
    const wrong = await run({ REGISTRY: "ghcr.io", REGISTRY_LOGIN: "azure" });
    assert.match(
      wrong.output,
      /REGISTRY_LOGIN is azure, but REGISTRY ghcr\.io is not like NAME\.azurecr\.io/,
    );
    const unknown = await run({ REGISTRY_LOGIN: "oidc" });
    assert.match(unknown.output, /REGISTRY_LOGIN must be one of aws, google, azure, password/);
    assert.deepEqual([wrong.exitCode, unknown.exitCode], [1, 1]);
  });

  it("tells why a cloud gives no token", async () => {
    program("aws", "echo 'AccessDenied: not your registry' >&2; exit 254");
    const { exitCode, output, lines } = await run({ REGISTRY: ECR, REGISTRY_LOGIN: "aws" });
    assert.equal(exitCode, 1);
    assert.match(output, /aws ecr get-login-password gave no token\n {2}\| AccessDenied: not your registry/);
    assert.equal(lines.length, 1);
  });
});
