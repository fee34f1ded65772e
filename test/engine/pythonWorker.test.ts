import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { commandPath, isInstalled } from "../../toolchain/install";
import { programs } from "../../toolchain/programs";
import { freePort } from "../support/apiServer";
import { eventually } from "../support/eventually";
import { writePythonWorker } from "../support/pythonWorker";

const python = process.env["CLIENT_EXAMPLES_PYTHON"] ?? "python3";
const hasPython = (): boolean =>
  spawnSync(python, ["-c", "import temporalio.worker, cryptography"]).status === 0;
const isFine = async (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

/** On this machine, without its image: a Temporal server and the program. */
describe("the conformance worker in Python", function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-python-"));
  const children: ChildProcess[] = [];
  let address: string;

  before("a Temporal server", async function () {
    if (!hasPython() || !isInstalled(programs.temporal)) {
      console.warn(
        "      the worker in Python was NOT RUN: npm run toolchain, pip install --require-hashes -r test/fixtures/pythonWorker/requirements.txt, and name that Python in CLIENT_EXAMPLES_PYTHON",
      );
      this.skip();
    }
    writePythonWorker(join(folder, "worker"));
    mkdirSync(join(folder, "keys"));
    writeFileSync(join(folder, "keys/key-1"), randomBytes(32).toString("base64"));
    const port = await freePort();
    address = `127.0.0.1:${String(port)}`;
    const args = ["server", "start-dev", "--headless", "--log-level=error", "--namespace=billing"];
    children.push(spawn(temporalCli, [...args, `--port=${String(port)}`], { stdio: "ignore" }));
    await eventually("the server answers", async () => (await temporal("operator", "cluster", "health")).ok);
  });
  after(() => {
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });

  const temporalCli = commandPath(programs.temporal);
  async function temporal(...args: readonly string[]) {
    const { failed, stdout } = await execa(temporalCli, [...args, "--address", address], { reject: false });
    return { ok: !failed, said: stdout };
  }

  async function start(more: Readonly<Record<string, string>>) {
    const [health, metrics] = [await freePort(), await freePort()];
    const child = spawn(python, [join(folder, "worker/worker.py")], {
      stdio: "ignore",
      env: {
        PATH: process.env["PATH"],
        PYTHONDONTWRITEBYTECODE: "1",
        TEMPORAL_ADDRESS: address,
        TEMPORAL_NAMESPACE: "billing",
        TEMPORAL_TASK_QUEUES: "billing,more",
        TEMPORAL_TLS: "false",
        HEALTH_PORT: String(health),
        METRICS_BIND_ADDRESS: `127.0.0.1:${String(metrics)}`,
        SHUTDOWN_GRACE_SECONDS: "1",
        CONNECT_ATTEMPT_SECONDS: "2",
        CONNECT_GIVE_UP_SECONDS: "1",
        ...more,
      },
    });
    children.push(child);
    return {
      child,
      ended: once(child, "exit"),
      at: (path: string) => `http://127.0.0.1:${String(health)}${path}`,
      metrics: `http://127.0.0.1:${String(metrics)}/metrics`,
    };
  }

  const run = (queue: string) =>
    temporal(
      ...["workflow", "execute", "--namespace=billing", "--type=canary", "--output=json"],
      ...[`--task-queue=${queue}`, "--workflow-id", `canary-${randomBytes(4).toString("hex")}`],
    );

  it("serves every queue, its health and its metrics in the clear, and ends on SIGTERM", async () => {
    const worker = await start({});
    await eventually("it is ready", () => isFine(worker.at("/readyz")));
    assert.deepEqual(
      await Promise.all(["/startupz", "/livez", "/other"].map((path) => isFine(worker.at(path)))),
      [true, true, false],
    );
    for (const queue of ["billing", "more"]) {
      const { ok, said } = await run(queue);
      assert.ok(ok && said.includes("hello from Python"), said);
    }
    assert.match(await (await fetch(worker.metrics)).text(), /temporal_worker_start\w*\{/);
    worker.child.kill("SIGTERM");
    assert.deepEqual(await worker.ended, [0, null]);
  });

  it("encrypts where it is given keys", async () => {
    const worker = await start({ CODEC_KEYS_DIR: join(folder, "keys"), CODEC_ACTIVE_KEY: "key-1" });
    await eventually("it is ready", () => isFine(worker.at("/readyz")));
    const { ok, said } = await run("billing");
    assert.ok(ok, said);
    assert.ok(!said.includes("hello from Python"), said);
    assert.ok(said.includes(Buffer.from("binary/encrypted").toString("base64")), said);
    worker.child.kill("SIGTERM");
    assert.deepEqual(await worker.ended, [0, null]);
  });

  it("ends by itself where nobody answers", async () => {
    const worker = await start({ TEMPORAL_ADDRESS: "127.0.0.1:1" });
    assert.deepEqual(await worker.ended, [1, null]);
  });
});
