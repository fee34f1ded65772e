import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { Connection } from "@temporalio/client";
import { z } from "zod";
import { freePort, keyringFolder, Process, WorkerProcess } from "../support/process";
import { Server, TASK_QUEUE, temporalCli } from "./harness";

const outcomeSchema = z.object({
  workflowId: z.string(),
  status: z.enum(["completed", "failed"]),
  durationMs: z.number(),
  result: z.unknown().optional(),
  failure: z.array(z.string()).default([]),
});

describe("execution of a workflow by the name of its type", () => {
  let server: Server;
  let worker: WorkerProcess | undefined;
  const keys = keyringFolder(["client-key", "worker-key"]);
  const encrypted = { CODEC_KEYS_DIR: keys, CODEC_ACTIVE_KEY: "client-key" };
  const environment = (): Record<string, string> => ({
    TEMPORAL_ADDRESS: server.address,
    TEMPORAL_NAMESPACE: "default",
    TEMPORAL_TASK_QUEUES: TASK_QUEUE,
  });

  async function startWorker(more: Record<string, string> = {}): Promise<void> {
    worker = await WorkerProcess.start({ ...environment(), ...more });
  }

  const cli = async (args: readonly string[], more: Record<string, string> = {}) => {
    const client = Process.start(process.execPath, ["lib/cli/execute.js", ...args], {
      PATH: process.env["PATH"],
      ...environment(),
      ...more,
    });
    return { exitCode: await client.exited, output: client.output };
  };

  async function outcomeOf(args: readonly string[], more?: Record<string, string>) {
    const { exitCode, output } = await cli(["--json", ...args], more);
    const outcome = outcomeSchema.parse(JSON.parse(output));
    assert.equal(exitCode, outcome.status === "completed" ? 0 : 1);
    return outcome;
  }

  async function statusOf(workflowId: string): Promise<string | null | undefined> {
    const connection = await Connection.connect({ address: server.address });
    const request = { namespace: "default", execution: { workflowId } };
    const { workflowExecutionInfo } = await connection.workflowService
      .describeWorkflowExecution(request)
      .finally(() => connection.close());
    return String(workflowExecutionInfo?.status);
  }

  before(async () => {
    temporalCli();
    server = await Server.create();
    await server.start();
  });

  afterEach(() => worker?.process.end("SIGKILL"));

  after(async () => {
    await server.remove();
    rmSync(keys, { recursive: true, force: true });
  });

  it("gives the result of the canary, whose payloads go encrypted in both directions", async () => {
    await startWorker({ ...encrypted, CODEC_ACTIVE_KEY: "worker-key", CODEC_REQUIRE_ENCRYPTED: "true" });
    const { result, failure } = await outcomeOf(["--type", "canary", "--input", "null"], {
      ...encrypted,
      CODEC_REQUIRE_ENCRYPTED: "true",
    });
    assert.deepEqual(failure, []);
    const { buildId } = z.object({ buildId: z.string().min(1) }).parse(result);
    assert.match(buildId, /./);
  });

  it("fails when the worker answers in the clear", async () => {
    await startWorker();
    const { failure } = await outcomeOf(["--type", "canary"], encrypted);
    assert.match(failure.join("\n"), /^NotEncrypted: /);
  });

  it("tells of keys that the worker does not have, and leaves no workflow behind", async () => {
    await startWorker();
    const args = ["--type", "canary", "--input", "null", "--timeout", "3"];
    const { failure, workflowId } = await outcomeOf(args, encrypted);
    assert.match(failure.join("\n"), /TimeoutFailure.*\n(.*\n)*.*binary\/encrypted/);
    assert.equal(await statusOf(workflowId), "7");
  });

  it("tells which type the worker does not know", async () => {
    await startWorker(encrypted);
    const { failure, workflowId } = await outcomeOf(["--type", "unheardOf", "--timeout", "3"], encrypted);
    assert.match(failure.join("\n"), /TimeoutFailure.*\n(.*\n)*.*unheardOf/);
    assert.equal(await statusOf(workflowId), "7");
  });

  it("runs on the task queue that is named, where nobody may be polling", async () => {
    await startWorker();
    const { failure } = await outcomeOf(["--type", "canary", "--task-queue", "deserted", "--timeout", "1"]);
    assert.match(failure.join("\n"), /TimeoutFailure/);
  });

  it("hands its argument over, and prints a workflow's own failure for people", async () => {
    await startWorker();
    const { exitCode, output } = await cli(["--type", "canary", "--input", '{"latenciesMs":1}']);
    assert.equal(exitCode, 1);
    assert.match(output, /^canary-\S+ failed in .* s\n(.*\n)*.*InvalidCanary/);
  });

  it("refuses what is no JSON, and settings that are missing, with exit code 78", async () => {
    const { exitCode, output } = await cli(["--type", "canary", "--input", "{"]);
    assert.equal(exitCode, 78);
    assert.match(output, /Expected JSON/);
    assert.equal((await cli(["--type", "canary"], { TEMPORAL_NAMESPACE: "" })).exitCode, 78);
  });

  it("says that Temporal does not answer", async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const { exitCode, output } = await cli(["--type", "canary"], { TEMPORAL_ADDRESS: address });
    assert.equal(exitCode, 1);
    assert.match(output, /\S/);
  });
});
