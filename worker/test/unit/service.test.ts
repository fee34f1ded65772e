import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { EXIT_FORCED } from "../../src/service";
import { FakeFrontend, POLLS } from "../support/fake-frontend";
import { eventually, WorkerProcess } from "../support/process";
import { bundledWorkflows } from "./bundle";

describe("worker process", function () {
  this.timeout(20_000);

  let folder: string;
  let bundle: string;
  let frontend: FakeFrontend;
  let worker: WorkerProcess | undefined;

  const start = async (environment: Readonly<Record<string, string>> = {}): Promise<WorkerProcess> => {
    worker = await WorkerProcess.start(
      {
        TEMPORAL_ADDRESS: frontend.address,
        TEMPORAL_NAMESPACE: "default",
        TEMPORAL_TASK_QUEUES: "orders",
        BUNDLE_PATH: bundle,
        ...environment,
      },
      "test/support/service.ts",
    );
    return worker;
  };
  const lines = (running: WorkerProcess, level: string): unknown[] =>
    running
      .log()
      .filter((line) => line["level"] === level)
      .map(({ msg }) => msg);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "worker-process-"));
    bundle = join(folder, "workflows.js");
    writeFileSync(bundle, (await bundledWorkflows()).code);
  });
  beforeEach(async () => {
    frontend = await FakeFrontend.start();
  });
  afterEach(async () => {
    await worker?.process.end("SIGKILL");
    frontend.stop();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("asks about its namespace before the first poll, and never for the health that Temporal Cloud refuses", async () => {
    frontend.fail(["Check"], status.PERMISSION_DENIED);
    const running = await start();
    await running.answers("/readyz", 200);
    assert.ok(!frontend.calls.includes("Check"));
    const beforePoll = frontend.calls.slice(0, frontend.calls.indexOf("PollWorkflowTaskQueue"));
    // The SDK's own question, and on a busy machine that of the readiness probe, which starts beside the polls.
    const questions = beforePoll.filter((method) => method === "DescribeNamespace").length;
    assert.ok(questions === 1 || questions === 2, String(questions));
    assert.equal(frontend.headers.get("DescribeNamespace")?.get("temporal-namespace"), "default");
    assert.deepEqual(lines(running, "error"), []);
  });

  it("is not ready while polls are refused, says so once, and lives", async () => {
    frontend.fail(POLLS, status.PERMISSION_DENIED);
    const running = await start();
    await eventually("a reason", async () =>
      (await running.body("/readyz")).includes("fails with PERMISSION_DENIED") ? true : undefined,
    );
    assert.equal(await running.status("/readyz"), 503);
    assert.equal(await running.status("/livez"), 200);
    assert.deepEqual(lines(running, "error"), [
      "cannot work: polls of task queue orders fail: the server knows this client, but does not let it use namespace default: grant that; the worker tries on by itself",
    ]);
  });

  it("says at once that its workflows do not load, and does not blame Temporal", async () => {
    writeFileSync(join(folder, "broken.js"), "throw new Error('oops');\n");
    const running = await start({ BUNDLE_PATH: join(folder, "broken.js") });
    assert.equal(await running.process.exited, 1);
    assert.match(running.process.output, /no worker can be made with the workflows of \S+broken\.js/);
    assert.doesNotMatch(running.process.output, /cannot use Temporal/);
  });

  it("ends by itself with the documented code when the shutdown hangs", async () => {
    frontend.silence("ShutdownWorker");
    const running = await start({
      SHUTDOWN_GRACE_SECONDS: "0",
      SHUTDOWN_FORCE_SECONDS: "1",
      LAST_STEPS_MS: "0",
    });
    await running.answers("/readyz", 200);
    assert.equal(await running.stop(), EXIT_FORCED, running.process.output);
    assert.deepEqual(lines(running, "fatal"), [
      "the shutdown hangs, and is ended: what was still running is lost to this process",
    ]);
  });
});
