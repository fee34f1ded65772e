import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { Connection } from "@temporalio/client";
import { temporal } from "@temporalio/proto";
import { OrderClient } from "../../src/client";
import { loadClientConfig } from "../../src/config";
import { sampleOrder } from "../../src/domain/sample-orders";
import { eventually, freePort, keyringFolder, WorkerProcess } from "../support/process";
import { Server, TASK_QUEUE, temporalCli } from "./harness";

type Event = temporal.api.history.v1.IHistoryEvent;

const bytesOf = (events: Event[]): Buffer =>
  Buffer.from(temporal.api.history.v1.History.encode({ events }).finish());
const scheduled = (events: Event[]): (string | null | undefined)[] =>
  events.flatMap(({ activityTaskScheduledEventAttributes: a }) => (a ? [a.activityType?.name] : []));

describe("worker with a real server", () => {
  const cleanup: (() => Promise<void> | void)[] = [];
  let server: Server;
  let env: Record<string, string>;
  let raw: Connection;
  let orders: OrderClient;
  const workers: WorkerProcess[] = [];

  const startWorker = async (
    overrides: Record<string, string> = {},
    script?: string,
  ): Promise<WorkerProcess> => {
    const worker = await WorkerProcess.start({ ...env, ...overrides }, script);
    workers.push(worker);
    return worker;
  };

  /** Events as the server holds them, undecoded. */
  const events = async (workflowId: string): Promise<Event[]> => {
    const { history } = await raw.workflowService.getWorkflowExecutionHistory({
      namespace: "default",
      execution: { workflowId },
      maximumPageSize: 1000,
    });
    return history?.events ?? [];
  };

  before(async () => {
    temporalCli();
    server = await Server.create();
    cleanup.push(() => server.remove());
    await server.start();
    const keys = keyringFolder(["client-key", "worker-key"]);
    cleanup.push(() => rmSync(keys, { recursive: true, force: true }));
    env = {
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: "default",
      TEMPORAL_TASK_QUEUES: TASK_QUEUE,
      CODEC_KEYS_DIR: keys,
      CODEC_ACTIVE_KEY: "worker-key",
      CODEC_REQUIRE_ENCRYPTED: "true",
      POD_NAME: "worker-1",
      POD_NAMESPACE: "test",
    };
    raw = await Connection.connect({ address: server.address });
    cleanup.push(() => raw.close());
    orders = await OrderClient.connect(loadClientConfig({ ...env, CODEC_ACTIVE_KEY: "client-key" }));
    cleanup.push(() => orders.close());
  });

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.process.end("SIGKILL")));
  });

  after(async () => {
    for (const undo of cleanup.reverse()) await undo();
  });

  it("completes an order; client and worker write with different keys, the history holds no plaintext", async () => {
    await startWorker();
    await orders.start("completes", sampleOrder());
    const outcome = await orders.outcome("completes", 30);
    assert.equal(outcome.status, "completed", JSON.stringify(outcome));
    const [history, shipment] = [await events("completes"), await events("completes/shipment")];
    assert.deepEqual(
      [scheduled(history), scheduled(shipment)],
      [
        ["reserve", "charge"],
        ["ship", "followParcel"],
      ],
    );
    const bytes = bytesOf([...history, ...shipment]);
    assert.ok(bytes.includes("worker-key") && bytes.includes("client-key"));
    for (const secret of ["TEAPOT", "tok_accepted", "Harbour", "customer-1", "parcel:"]) {
      assert.ok(!bytes.includes(secret), `${secret} is in the history`);
    }
  });

  it("takes everything back when the card is declined, and fails with the reason, encrypted", async () => {
    await startWorker();
    await orders.start("declined", sampleOrder({ fail: "card-declined" }));
    const outcome = await orders.outcome("declined", 30);
    assert.ok(outcome.status === "failed");
    assert.match(outcome.failure.join("\n"), /CardDeclined: the card was declined: insufficient funds/);
    const history = await events("declined");
    assert.deepEqual(scheduled(history), ["reserve", "charge", "refund", "release"]);
    const failure = history.at(-1)?.workflowExecutionFailedEventAttributes?.failure;
    assert.equal(failure?.applicationFailureInfo?.type, "CardDeclined");
    assert.equal(failure.message, "CardDeclined (its message is encrypted)");
    assert.ok(!bytesOf(history).includes("insufficient funds"));
  });

  it("refuses input that is not encrypted, or was encrypted for another workflow, and says so", async () => {
    const worker = await startWorker();
    await orders.start("bound", sampleOrder({ delaySeconds: 600 }));
    const [started] = await events("bound");
    const input = started?.workflowExecutionStartedEventAttributes?.input ?? null;
    const clear = { metadata: { encoding: Buffer.from("json/plain") }, data: Buffer.from("{}") };
    const cases: [string, temporal.api.common.v1.IPayloads | null, string][] = [
      ["clear", { payloads: [clear] }, "a payload is not encrypted, and CODEC_REQUIRE_ENCRYPTED refuses it"],
      ["copied", input, "a payload of workflow copied was encrypted for workflow bound: it was put there"],
    ];
    for (const [workflowId, sent, message] of cases) {
      await raw.workflowService.startWorkflowExecution({
        namespace: "default",
        workflowId,
        workflowType: { name: "order" },
        taskQueue: { name: TASK_QUEUE },
        input: sent,
        requestId: workflowId,
      });
      await eventually(message, async () => (worker.process.output.includes(message) ? true : undefined));
      await raw.workflowService.terminateWorkflowExecution({
        namespace: "default",
        workflowExecution: { workflowId },
      });
    }
    await orders.cancel("bound", "test");
    assert.equal((await orders.outcome("bound", 30)).status, "failed");
  });

  it("logs and traces failures by their types alone if told to", async () => {
    const worker = await startWorker({ LOG_FAILURE_MESSAGES: "false" });
    await orders.start("types-only", sampleOrder({ fail: "card-declined" }));
    assert.equal((await orders.outcome("types-only", 30)).status, "failed");
    await eventually("the failure", async () =>
      worker.process.output.includes("CardDeclined") ? true : undefined,
    );
    assert.equal(await worker.stop(), 0);
    assert.ok(!worker.process.output.includes("insufficient funds"), worker.process.output);
  });

  it("takes everything back when the workflow is cancelled", async () => {
    await startWorker();
    await orders.start("cancelled", sampleOrder({ delaySeconds: 600 }));
    await eventually("the timer", async () =>
      (await events("cancelled")).find((event) => event.timerStartedEventAttributes),
    );
    await raw.workflowService.requestCancelWorkflowExecution({
      namespace: "default",
      workflowExecution: { workflowId: "cancelled" },
    });
    const outcome = await orders.outcome("cancelled", 30);
    assert.ok(outcome.status === "failed");
    assert.match(outcome.failure.join("\n"), /CancelledFailure/);
    assert.deepEqual(scheduled(await events("cancelled")), ["reserve", "charge", "refund", "release"]);
  });

  it("lets an activity in flight finish on SIGTERM", async () => {
    const slow = await startWorker({ SHIP_MS: "3000" }, "test/server/carrier-worker.ts");
    await orders.start("drained", sampleOrder());
    await eventually("ship in flight", async () => {
      const { pendingActivities } = await raw.workflowService.describeWorkflowExecution({
        namespace: "default",
        execution: { workflowId: "drained/shipment" },
      });
      const started = temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_STARTED;
      return pendingActivities.find((it) => it.activityType?.name === "ship" && it.state === started);
    });
    const stopping = slow.stop();
    await slow.answers("/readyz", 503);
    assert.equal(await slow.status("/livez"), 200);
    assert.equal(await stopping, 0, slow.process.output);
    await startWorker();
    assert.equal((await orders.outcome("drained", 30)).status, "completed");
    const attempts = [...(await events("drained")), ...(await events("drained/shipment"))].flatMap(
      ({ activityTaskStartedEventAttributes: a }) => (a ? [a.attempt] : []),
    );
    assert.deepEqual(attempts, [1, 1, 1, 1]);
  });

  it("outlives a server restart", async () => {
    const worker = await startWorker();
    await worker.answers("/readyz", 200);
    await orders.start("restarted", sampleOrder({ delaySeconds: 1 }));
    await server.stop();
    assert.equal(await worker.status("/livez"), 200);
    await server.start();
    const again = await OrderClient.connect(loadClientConfig(env));
    assert.equal((await again.outcome("restarted", 60)).status, "completed");
    await again.close();
    assert.ok(worker.process.running);
    assert.equal(await worker.stop(), 0, worker.process.output);
  });

  it("waits for an absent server, alive but not ready, and stops at once when told to", async () => {
    const worker = await startWorker({ TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}` });
    await worker.answers("/startupz", 200);
    assert.equal(await worker.status("/livez"), 200);
    assert.equal(await worker.status("/readyz"), 503);
    const before = Date.now();
    assert.equal(await worker.stop(), 0, worker.process.output);
    assert.ok(Date.now() - before < 1000);
  });

  it("gives up with exit 1 and names the namespace that is missing", async () => {
    const worker = await startWorker({ TEMPORAL_NAMESPACE: "nowhere", CONNECT_GIVE_UP_SECONDS: "1" });
    assert.equal(await worker.process.exited, 1);
    assert.match(worker.process.output, /nowhere/);
  });

  it("names the key that a task was encrypted with when the worker lacks it, and loses nothing", async () => {
    const other = keyringFolder(["other-key"]);
    const blind = await startWorker({ CODEC_KEYS_DIR: other, CODEC_ACTIVE_KEY: "other-key" });
    await orders.start("unknown-key", sampleOrder());
    await eventually("the message", async () =>
      blind.process.output.includes('unknown encryption key id \\"client-key\\"') ? true : undefined,
    );
    await blind.process.end("SIGKILL");
    rmSync(other, { recursive: true, force: true });
    await startWorker();
    assert.equal((await orders.outcome("unknown-key", 60)).status, "completed");
  });
});
