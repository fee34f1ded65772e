import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { Client, Connection } from "@temporalio/client";
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from "@temporalio/worker";
import type { InjectedSinks } from "@temporalio/worker";
import { OrderClient } from "../../src/client";
import { loadClientConfig } from "../../src/config";
import { sampleOrder } from "../../src/domain/sample-orders";
import type { TracingSinks, WorkflowSpan } from "../../src/tracing/workflow-span";
import { Collector } from "./collector";
import type { ReceivedSpan } from "./collector";
import { eventually, freePort, keyringFolder, Process, WorkerProcess } from "../support/process";
import { Server, TASK_QUEUE, temporalCli } from "./harness";

describe("observability with a real server", () => {
  let server: Server;
  let env: Record<string, string>;
  let temporal: Client;
  let keys: string;
  const workers: WorkerProcess[] = [];
  const collectors: Collector[] = [];

  const startWorker = async (overrides: Record<string, string> = {}): Promise<WorkerProcess> => {
    const worker = await WorkerProcess.start({ ...env, ...overrides });
    workers.push(worker);
    await worker.answers("/readyz", 200);
    return worker;
  };

  const startCollector = async (): Promise<Collector> => {
    const collector = new Collector();
    collectors.push(collector);
    await collector.listen();
    return collector;
  };

  /** Runs one order with the command line client in a process of its own; its workflow id. */
  const order = async (overrides: Record<string, string> = {}, args: string[] = []): Promise<string> => {
    const client = Process.start(process.execPath, ["lib/cli/order.js", "--json", ...args], {
      PATH: process.env["PATH"],
      ...env,
      ...overrides,
    });
    await client.exited;
    const [, workflowId] = /"workflowId":"([^"]+)"/.exec(client.output) ?? [];
    assert.ok(workflowId, client.output);
    return workflowId;
  };

  const history = (workflowId: string) => temporal.workflow.getHandle(workflowId).fetchHistory();

  before(async () => {
    temporalCli();
    server = await Server.create();
    await server.start();
    env = {
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: "default",
      TEMPORAL_TASK_QUEUES: TASK_QUEUE,
    };
    keys = keyringFolder(["key-1"]);
    temporal = new Client({ connection: await Connection.connect({ address: server.address }) });
  });

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.process.end("SIGKILL")));
    await Promise.all(collectors.splice(0).map((collector) => collector.close()));
  });

  after(async () => {
    rmSync(keys, { recursive: true, force: true });
    await temporal.connection.close();
    await server.remove();
  });

  it("traces an order from the client through the workflow to its activities, in spans and in the log", async () => {
    const collector = await startCollector();
    const tracing = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20collector-secret",
      OTEL_TRACES_SAMPLER_ARG: "1",
      CODEC_KEYS_DIR: keys,
      CODEC_ACTIVE_KEY: "key-1",
    };
    const worker = await startWorker({ ...tracing, LOG_LEVEL: "debug" });
    const workflowId = await order(tracing);
    assert.equal(await worker.stop(), 0, worker.process.output);

    const { spans } = collector;
    const named = (name: string): ReceivedSpan => {
      const found = spans.filter((span) => span.name === name);
      assert.equal(found.length, 1, `${name}: ${JSON.stringify(spans.map((span) => span.name))}`);
      assert.ok(found[0]);
      return found[0];
    };
    const start = named("StartWorkflow:order");
    const run = named("RunWorkflow:order");
    const startOfChild = named("StartChildWorkflow:shipment");
    const child = named("RunWorkflow:shipment");
    assert.equal(start.parentSpanId, "");
    assert.equal(run.parentSpanId, start.spanId);
    assert.equal(startOfChild.parentSpanId, run.spanId);
    assert.equal(child.parentSpanId, startOfChild.spanId);
    for (const [activity, parent] of [
      ["reserve", run],
      ["charge", run],
      ["ship", child],
      ["followParcel", child],
    ] as const) {
      const scheduled = named(`StartActivity:${activity}`);
      assert.equal(scheduled.parentSpanId, parent.spanId);
      assert.equal(named(`RunActivity:${activity}`).parentSpanId, scheduled.spanId);
    }
    const ofOrder = spans.filter((span) => span.traceId === start.traceId);
    assert.equal(ofOrder.length, 12, JSON.stringify(ofOrder.map(({ name }) => name)));
    assert.deepEqual([start.service, run.service], ["temporal-client", "temporal-worker"]);
    assert.equal(run.attributes["temporalWorkflowId"], workflowId);
    assert.deepEqual([...collector.authorizations], ["Bearer collector-secret"]);

    // What the SDK says before a task starts, on level debug only, comes before the span.
    const workflowIds = [workflowId, `${workflowId}/shipment`];
    const lines = worker
      .log()
      .filter(
        (line) =>
          workflowIds.includes(String(line["workflowId"])) && !String(line["msg"]).endsWith(" started"),
      );
    for (const id of workflowIds) {
      const ofWorkflow = lines.filter((line) => line["workflowId"] === id);
      assert.ok(ofWorkflow.some((line) => line["msg"] === "Workflow completed"));
      assert.equal(new Set(ofWorkflow.map((line) => line["runId"])).size, 1);
    }
    for (const line of lines) {
      assert.equal(line["traceId"], start.traceId, JSON.stringify(line));
      assert.equal(line["taskQueue"], TASK_QUEUE);
      assert.ok(
        spans.some(({ spanId }) => spanId === line["spanId"]),
        JSON.stringify(line),
      );
    }
    const activities = lines.filter((line) => "activityType" in line);
    assert.deepEqual(
      new Set(activities.map((line) => line["activityType"])),
      new Set(["reserve", "charge", "ship", "followParcel"]),
    );
    assert.ok(activities.every((line) => line["attempt"] === 1));
    assert.ok(!worker.process.output.includes("collector-secret"));
  });

  it("goes on through what an activity starts: the loyalty account is in the trace of the order", async () => {
    const collector = await startCollector();
    const tracing = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_TRACES_SAMPLER_ARG: "1" };
    const worker = await startWorker(tracing);
    await order(tracing, ["--points", "--customer", "traced"]);
    assert.equal(await worker.stop(), 0, worker.process.output);
    const named = (name: string) => collector.spans.find((span) => span.name === name);
    const handled = named("HandleSignal:purchaseCompleted");
    assert.ok(handled, JSON.stringify(collector.spans.map(({ name }) => name)));
    assert.equal(handled.traceId, named("StartWorkflow:order")?.traceId);
    assert.equal(named("RunActivity:recordPurchase")?.traceId, handled.traceId);
  });

  it("holds messages of failures, or their types alone if told to", async () => {
    for (const [setting, isShown] of [
      ["true", true],
      ["false", false],
    ] as const) {
      const collector = await startCollector();
      const tracing = {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
        OTEL_TRACES_SAMPLER_ARG: "1",
        LOG_FAILURE_MESSAGES: setting,
      };
      const worker = await startWorker(tracing);
      await order(tracing, ["--fail", "card-declined"]);
      assert.equal(await worker.stop(), 0, worker.process.output);
      assert.ok(collector.spans.some(({ name }) => name === "RunActivity:charge"));
      assert.equal(collector.received.includes("insufficient funds"), isShown);
      assert.ok(collector.received.includes("CardDeclined"));
    }
  });

  it("exports nothing of a trace that is not sampled, and keeps the decision of whoever began it", async () => {
    const collector = await startCollector();
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint };
    const worker = await startWorker({ ...endpoint, OTEL_TRACES_SAMPLER_ARG: "1" });
    await order({ ...endpoint, OTEL_TRACES_SAMPLER_ARG: "0" });
    const untraced = await order();
    assert.equal(await worker.stop(), 0, worker.process.output);
    const names = new Set(collector.spans.map(({ name }) => name));
    assert.ok(!names.has("StartWorkflow:order"));
    // Nobody decided on the second order before the worker, and the worker samples all.
    assert.equal(collector.spans.filter(({ name }) => name === "RunWorkflow:order").length, 1);
    assert.equal(new Set(collector.spans.map(({ traceId }) => traceId)).size, 1);
    assert.equal(
      collector.spans.find(({ name }) => name === "RunWorkflow:order")?.attributes["temporalWorkflowId"],
      untraced,
    );
  });

  it("leaves a workflow that nobody traced to the worker's own share", async () => {
    const collector = await startCollector();
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint };
    const worker = await startWorker({ ...endpoint, OTEL_TRACES_SAMPLER_ARG: "0" });
    await order();
    assert.equal(await worker.stop(), 0, worker.process.output);
    assert.deepEqual(collector.spans, []);
  });

  it("completes orders while nobody receives the spans, says so once, and once when somebody does", async () => {
    const collector = new Collector();
    const port = await freePort();
    const worker = await startWorker({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_TRACES_SAMPLER_ARG: "1",
      OTEL_BSP_SCHEDULE_DELAY: "50",
    });
    const warnings = (): unknown[] =>
      worker.log().filter((line) => String(line["msg"]).includes("spans cannot be exported"));
    await order();
    await eventually("the warning", async () => (warnings().length > 0 ? true : undefined));
    await order();
    await order();
    assert.equal(warnings().length, 1);
    collectors.push(collector);
    await collector.listen(port);
    await order();
    await eventually("the recovery", async () =>
      worker.log().find((line) => line["msg"] === "spans are exported again"),
    );
    assert.equal(warnings().length, 1);
    assert.equal(await worker.stop(), 0, worker.process.output);
  });

  it("takes up running workflows when tracing is switched on or off under them", async () => {
    const collector = await startCollector();
    const tracing = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_TRACES_SAMPLER_ARG: "1" };
    const client = await OrderClient.connect(loadClientConfig(env));
    for (const [workflowId, first, second] of [
      ["switched-on", {}, tracing],
      ["switched-off", tracing, {}],
    ] as const) {
      const worker = await startWorker(first);
      await client.start(workflowId, sampleOrder({ delaySeconds: 3 }));
      await eventually("the delay", async () =>
        (await history(workflowId)).events?.find((event) => event.timerStartedEventAttributes),
      );
      assert.equal(await worker.stop(), 0, worker.process.output);
      const other = await startWorker(second);
      assert.equal((await client.outcome(workflowId, 60)).status, "completed");
      assert.equal(await other.stop(), 0, other.process.output);
    }
    await client.close();
    assert.ok(collector.spans.some(({ name }) => name === "RunActivity:ship"));
  });

  it("never shows in a history: with and without it, each replays what the other recorded", async () => {
    Runtime.install({
      logger: new DefaultLogger("ERROR", () => undefined),
      telemetryOptions: { logging: { forward: {}, filter: { core: "ERROR", other: "ERROR" } } },
    });
    const bundle = await bundleWorkflowCode({
      workflowsPath: require.resolve("./fixtures/random-workflow"),
      workflowInterceptorModules: [require.resolve("../../src/tracing/workflow-interceptors")],
      logger: new DefaultLogger("ERROR"),
    });
    const bundles = { on: { code: `globalThis.tracingSampleRatio=1;${bundle.code}` }, off: bundle };
    const connection = await NativeConnection.connect({ address: server.address });
    const spans: WorkflowSpan[] = [];
    const sinks: InjectedSinks<TracingSinks> = {
      tracing: { ended: { fn: (_info, span) => void spans.push(span) } },
    };
    try {
      for (const [recorder, replayer] of [
        ["on", "off"],
        ["off", "on"],
      ] as const) {
        const taskQueue = `fickle-${recorder}`;
        const worker = await Worker.create({
          connection,
          taskQueue,
          sinks,
          workflowBundle: bundles[recorder],
          activities: { echo: (text: string) => text },
        });
        await worker.runUntil(temporal.workflow.execute("fickle", { taskQueue, workflowId: taskQueue }));
        await Worker.runReplayHistory(
          { workflowBundle: bundles[replayer] },
          await history(taskQueue),
          taskQueue,
        );
      }
    } finally {
      await connection.close();
    }
    assert.equal(spans.filter(({ name }) => name === "RunWorkflow:fickle").length, 2);
  });

  it("publishes what the process uses beside the SDK's metrics", async () => {
    const version = { deploymentName: "orders", buildId: "build-7" };
    const worker = await startWorker({
      TEMPORAL_DEPLOYMENT_NAME: version.deploymentName,
      TEMPORAL_WORKER_BUILD_ID: version.buildId,
      // Little room for young objects, so that collections do not take their time.
      NODE_OPTIONS: "--max-semi-space-size=1",
    });
    // A version gets no tasks before it is the current one.
    await eventually("the current version", () =>
      temporal.workflowService.setWorkerDeploymentCurrentVersion({ namespace: "default", ...version }),
    );
    await order();
    const page = await eventually("garbage collection", async () => {
      const text = await worker.metrics();
      return text.includes("nodejs_gc_duration_seconds_count") ? text : undefined;
    });
    const value = (pattern: RegExp): number => {
      const [, number] = pattern.exec(page) ?? [];
      assert.ok(number !== undefined, `${pattern.source} is not in\n${page}`);
      return Number(number);
    };
    assert.ok(Math.abs(value(/^process_start_time_seconds (\S+)$/m) - Date.now() / 1000) < 60);
    assert.ok(value(/^process_cpu_seconds_total (\S+)$/m) > 0.1);
    assert.ok(value(/^process_resident_memory_bytes (\S+)$/m) > 50e6);
    assert.ok(value(/^process_open_fds (\S+)$/m) > 10);
    assert.ok(value(/^nodejs_active_resources_total (\S+)$/m) > 0);
    assert.ok(value(/^nodejs_heap_size_used_bytes (\S+)$/m) < value(/^nodejs_heap_size_limit_bytes (\S+)$/m));
    assert.ok(value(/^nodejs_external_memory_bytes (\S+)$/m) > 0);
    assert.ok(
      value(/^nodejs_eventloop_lag_p99_seconds (\S+)$/m) <=
        value(/^nodejs_eventloop_lag_max_seconds (\S+)$/m),
    );
    assert.match(page, /^worker_build_info\{[^}]*build_id="build-7"[^}]*version="\d+\.\d+\.\d+"[^}]*\} 1$/m);
    assert.match(
      page,
      /^nodejs_gc_duration_seconds_bucket\{kind="(minor|major|incremental|weakcb)",le="0\.001"\} \d+$/m,
    );
    assert.match(page, /^temporal_worker_task_slots_available\{/m);
  });
});
