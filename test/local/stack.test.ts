import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { spawn, spawnSync } from "node:child_process";
import { parse } from "yaml";
import { root } from "./folders";
import { Failure } from "../../common/failure";
import { state } from "../../common/paths";
import { environmentFile, machineSettingsFile, writeEnvironmentFile } from "../../common/localStack";
import { recordCluster, recordedCluster, recordedTarget } from "../../common/localStack";
import { recoverStack } from "../../local/recovery";
import { localCli, pulumi } from "../../common/pulumi";
import { stackOutputs } from "../../common/stackOutputs";
import { destroyStack, prepareStack, updateStack } from "../../local/stack";
import type { Target } from "../../common/localStack";
import { commandPath } from "../../toolchain/install";
import { programs } from "../../toolchain/programs";

const target: Target = {
  stack: "local",
  description: "a cluster of the test",
  kubeconfig: join(root, "it's a kubeconfig"),
  context: "test",
  networkPolicies: "unknown",
  imageEnvironment: { DOCKER_HOST: "unix:///nowhere" },
  settings: { kubernetes: { context: "test" } },
};

const answers = join(root, "pulumi-answers");
const calls = join(answers, "calls");
const locks = state("backend/.pulumi/locks/organization/temporal-stack/local");
const DEAD_PID = 2 ** 30;

/** Stands for the engine: notes its arguments and prints what a file of its first two words holds. */
const engine = `#!/bin/sh
echo "$*" >> '${calls}'
case "$1" in stack) answer="$1-$2" ;; *) answer="$1" ;; esac
cat '${answers}'/"$answer" 2>/dev/null
[ ! -e '${answers}'/"$answer.fails" ]
`;

const answer = (command: string, text: string): void => writeFileSync(join(answers, command), text);
const called = (): string[] => readFileSync(calls, "utf8").trim().split("\n");
const lock = (name: string, content: object): void => {
  mkdirSync(locks, { recursive: true });
  writeFileSync(join(locks, `${name}.json`), JSON.stringify({ username: "somebody", ...content }));
};
const deployment = (operations?: object[]): string =>
  JSON.stringify({ version: 3, deployment: { pending_operations: operations } });

describe("stack local", () => {
  const program = commandPath(programs.pulumi);

  beforeEach(() => {
    for (const folder of [answers, locks]) rmSync(folder, { recursive: true, force: true });
    for (const folder of [answers, dirname(program)]) mkdirSync(folder, { recursive: true });
    writeFileSync(program, engine, { mode: 0o755 });
    writeFileSync(calls, "");
    answer("stack-export", deployment());
    answer("stack-ls", "[]");
  });
  after(() => rmSync(dirname(program), { recursive: true }));

  it("is initialized once, with a passphrase that stays and that only its owner reads", async () => {
    await prepareStack(target);
    const passphrase = readFileSync(state("passphrase"), "utf8");
    assert.match(passphrase, /^[\w-]{43}$/);
    assert.equal(statSync(state("passphrase")).mode & 0o777, 0o600);
    assert.ok(called().some((line) => line.startsWith("stack init --stack local ")));
    writeFileSync(calls, "");
    answer("stack-ls", JSON.stringify([{ name: "local", current: true }]));
    await prepareStack(target);
    assert.equal(readFileSync(state("passphrase"), "utf8"), passphrase);
    assert.ok(!called().some((line) => line.startsWith("stack init")));
  });

  it("has its settings of this machine in a file that says for which stack they are", async () => {
    await prepareStack({ ...target, stack: "dev" });
    assert.ok(called().some((line) => line.startsWith("stack init --stack dev ")));
    assert.deepEqual(parse(readFileSync(machineSettingsFile, "utf8")), {
      stack: "dev",
      settings: target.settings,
    });
  });

  it("has an environment file that a shell can source, whatever is in a value", async () => {
    await prepareStack(target);
    await writeEnvironmentFile(target, { TEMPORAL_ADDRESS: `$(touch ${join(root, "executed")}) "'` });
    const script = `. '${environmentFile}'; printf '%s\\n' "$KUBECONFIG" "$TEMPORAL_ADDRESS" "$PULUMI_BACKEND_URL"`;
    const { stdout, stderr } = spawnSync("sh", ["-c", script], { encoding: "utf8" });
    assert.equal(stderr, "");
    assert.deepEqual(stdout.trim().split("\n"), [
      target.kubeconfig,
      `$(touch ${join(root, "executed")}) "'`,
      `file://${state("backend")}`,
    ]);
    assert.equal(statSync(environmentFile).mode & 0o777, 0o600);
  });

  it("keeps what Temporal's clients need in the environment file while a later update runs, or after it failed", async () => {
    const client = { TEMPORAL_ADDRESS: "127.0.0.1:7233", CODEC_ACTIVE_KEY: "it's\nnew" };
    await writeEnvironmentFile(target, client);
    await prepareStack(target);
    await prepareStack(target);
    const script = `. '${environmentFile}'; printf '%s|' "$TEMPORAL_ADDRESS" "$CODEC_ACTIVE_KEY"`;
    const { stdout } = spawnSync("sh", ["-c", script], { encoding: "utf8" });
    assert.equal(stdout, "127.0.0.1:7233|it's\nnew|");
    await writeEnvironmentFile(target, { TEMPORAL_ADDRESS: "elsewhere:7233" });
    const text = readFileSync(environmentFile, "utf8");
    assert.match(text, /elsewhere/);
    assert.doesNotMatch(text, /CODEC_ACTIVE_KEY|127\.0\.0\.1:7233/);
    assert.equal(text.split("TEMPORAL_STACK_MACHINE_SETTINGS=").length, 2);
  });

  it("that was never created is destroyed without a word: an up that failed early left nothing", async () => {
    await destroyStack(target, () => undefined);
    assert.ok(!called().some((line) => line.startsWith("destroy")));
    answer("stack-ls", JSON.stringify([{ name: "local", current: true }]));
    await destroyStack(target, () => undefined);
    assert.ok(called().some((line) => line.startsWith("destroy --yes")));
  });

  it("is named to the CLI, but for a question about the backend", async () => {
    await pulumi(localCli(target), ["stack", "export"]);
    await pulumi(localCli(target), ["whoami", "--verbose"]);
    assert.deepEqual(called(), [
      "stack export --stack local --non-interactive --color never",
      "whoami --verbose --non-interactive --color never",
    ]);
  });

  it("needs no recovery after an update that ended", async () => {
    assert.deepEqual(await recoverStack(target), []);
    assert.ok(called().every((line) => line.startsWith("stack export ")));
  });

  it("is freed from the lock of a process that is gone", async () => {
    lock("one", { pid: DEAD_PID, hostname: hostname() });
    assert.deepEqual(await recoverStack(target), [
      `the lock of process ${DEAD_PID}, which is gone, was removed`,
    ]);
    assert.ok(called().some((line) => line.startsWith("cancel --yes --stack local ")));
  });

  it("is freed from a lock whose process number is another program's now", async () => {
    lock("one", { pid: process.pid, hostname: hostname() });
    assert.equal((await recoverStack(target)).length, 1);
  });

  it("is not taken from a pulumi that runs", async () => {
    const program = join(root, "pulumi");
    symlinkSync("/bin/sleep", program);
    const running = spawn(program, ["60"]);
    try {
      await isRefused({ pid: running.pid ?? 0, hostname: hostname() });
    } finally {
      running.kill();
    }
  });

  it("is not taken from a process of another machine", () =>
    isRefused({ pid: DEAD_PID, hostname: "elsewhere" }));

  async function isRefused(owner: { pid: number; hostname: string }): Promise<void> {
    lock("gone", { pid: DEAD_PID, hostname: hostname() });
    lock("held", owner);
    await assert.rejects(recoverStack(target), (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(
        error.message,
        `another pulumi command works on the stack (process ${owner.pid} of somebody)`,
      );
      return true;
    });
    assert.ok(!called().some((line) => line.startsWith("cancel")));
  }

  it("is refreshed when operations were interrupted, each one named", async () => {
    const urn = "urn:pulumi:local::temporal-stack::kubernetes:apps/v1:Deployment::worker";
    answer(
      "stack-export",
      deployment([{ type: "creating", resource: { urn, type: "kubernetes:apps/v1:Deployment" } }]),
    );
    assert.deepEqual(await recoverStack(target), [`creating of ${urn} was interrupted: state refreshed`]);
    assert.ok(called().some((line) => /^refresh --yes .*--clear-pending-creates .*--stack local/.test(line)));
  });

  it("passes on the lines of an update, and of a failed one the diagnostics alone", async () => {
    const failed = [
      "Updating (local):",
      " ~  kubernetes:apps/v1:Deployment worker updating (0s)",
      "Diagnostics:",
      "  kubernetes:apps/v1:Deployment (worker):",
      "    error: the Deployment did not become ready",
      "Resources:",
      "    10 unchanged",
      "Duration: 3s",
    ];
    answer("up", `${failed.join("\n")}\n`);
    const lines: string[] = [];
    await updateStack(target, (line) => lines.push(line));
    assert.deepEqual(lines, failed);
    answer("up.fails", "");
    await assert.rejects(
      updateStack(target, () => undefined),
      (error) => {
        assert.ok(error instanceof Failure);
        assert.match(error.message, /^pulumi up failed$/);
        assert.deepEqual(error.details, failed.slice(3, 5));
        return true;
      },
    );
  });

  it("hands over its outputs, and refuses others", async () => {
    const service = { namespace: "temporal", service: "temporal-frontend", port: 7233 };
    const worker = {
      name: "orders",
      namespace: "temporal-workers",
      deployment: "orders",
      taskQueues: ["orders"],
    };
    const outputs = {
      workerImage: "registry.example.com/worker@sha256:1",
      temporalFrontend: service,
      temporalUi: service,
      temporalNamespace: "default",
      workers: [worker],
      payloadKeyring: null,
    };
    answer("stack-output", JSON.stringify(outputs));
    assert.deepEqual(await stackOutputs(localCli(target)), outputs);
    answer("stack-output", JSON.stringify({ ...outputs, workers: [] }));
    await assert.rejects(stackOutputs(localCli(target)), /workers/);
  });

  it("is remembered together with its cluster", () => {
    mkdirSync(state(), { recursive: true });
    const { stack, ...cluster } = target;
    recordCluster({ way: "native", stack });
    assert.deepEqual(recordedCluster(), { way: "native", stack });
    assert.equal(recordedTarget(), undefined);
    recordCluster({ way: "context", stack, cluster });
    assert.deepEqual(recordedCluster(), { way: "context", stack, cluster });
    assert.deepEqual(recordedTarget(), target);
    rmSync(state("cluster.json"));
    assert.equal(recordedCluster(), undefined);
  });
});
