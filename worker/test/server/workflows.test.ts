import assert from "node:assert/strict";
import { Client, Connection, WorkflowFailedError } from "@temporalio/client";
import type { WorkflowHandle } from "@temporalio/client";
import { failureConverterPath } from "../../src/codec/data-converter";
import { loyaltyId } from "../../src/activities/loyalty";
import type { Order, OrderPhase } from "../../src/domain/order";
import { sampleOrder } from "../../src/domain/sample-orders";
import { causeChain } from "../../src/errors";
import {
  approveOrder,
  cancelOrder,
  changeAddress,
  loyaltyAccount,
  orderStatus,
  purchaseCompleted,
} from "../../src/messages";
import type { canary, customerLoyalty, order } from "../../src/workflows";
import { eventually, WorkerProcess } from "../support/process";
import { Server, TASK_QUEUE, temporalCli } from "./harness";

/** Carrier that never takes a parcel over. */
const HELD = { HOLD_AT_SCAN: "1" };

describe("workflows with a real server", () => {
  let server: Server;
  let connection: Connection;
  let client: Client;
  const workers: WorkerProcess[] = [];

  const startWorker = async (carrier?: Record<string, string>): Promise<WorkerProcess> => {
    const env = {
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: "default",
      TEMPORAL_TASK_QUEUES: TASK_QUEUE,
    };
    const worker = await (carrier === undefined
      ? WorkerProcess.start(env)
      : WorkerProcess.start({ ...env, ...carrier }, "test/server/carrier-worker.ts"));
    workers.push(worker);
    return worker;
  };
  const startOrder = (workflowId: string, input: Order): Promise<WorkflowHandle<typeof order>> =>
    client.workflow.start<typeof order>("order", { workflowId, taskQueue: TASK_QUEUE, args: [input] });
  const reached = (handle: WorkflowHandle, phase: OrderPhase): Promise<unknown> =>
    eventually(phase, async () => ((await handle.query(orderStatus)).phase === phase ? true : undefined));
  const failureOf = async (handle: WorkflowHandle): Promise<string> => {
    const error: unknown = await handle.result().then(
      () => undefined,
      (failure: unknown) => failure,
    );
    assert.ok(error instanceof WorkflowFailedError);
    return causeChain(error).join("\n");
  };
  const activitiesOf = async (workflowId: string): Promise<(string | null | undefined)[]> =>
    ((await client.workflow.getHandle(workflowId).fetchHistory()).events ?? []).flatMap(
      ({ activityTaskScheduledEventAttributes: a }) => (a ? [a.activityType?.name] : []),
    );
  const statusOf = async (workflowId: string): Promise<string> =>
    (await client.workflow.getHandle(workflowId).describe()).status.name;
  const refused = (message: RegExp) => (error: unknown) => {
    assert.match(causeChain(error).join("\n"), message);
    return true;
  };

  before(async () => {
    temporalCli();
    server = await Server.create();
    await server.start();
    connection = await Connection.connect({ address: server.address });
    client = new Client({ connection, dataConverter: { failureConverterPath } });
  });

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.process.end("SIGKILL")));
  });

  after(async () => {
    await connection.close();
    await server.remove();
  });

  it("a large order waits until somebody named approves it", async () => {
    await startWorker();
    const handle = await startOrder("approved", sampleOrder({ large: true }));
    await reached(handle, "awaitingApproval");
    await assert.rejects(
      handle.executeUpdate(approveOrder, { args: [{ approvedBy: "" }] }),
      refused(/approvedBy: expected a non-empty string/),
    );
    const status = await handle.executeUpdate(approveOrder, { args: [{ approvedBy: "grace" }] });
    assert.equal(status.approvedBy, "grace");
    assert.match((await handle.result()).trackingNumber, /^parcel:/);
    assert.equal((await handle.query(orderStatus)).phase, "shipped");
  });

  it("an order that does not wait refuses an approval", async () => {
    await startWorker();
    const handle = await startOrder("not-waiting", sampleOrder({ delaySeconds: 600 }));
    await reached(handle, "preparing");
    await assert.rejects(
      handle.executeUpdate(approveOrder, { args: [{ approvedBy: "grace" }] }),
      refused(/does not wait for one: preparing/),
    );
    await handle.terminate();
  });

  it("a large order that nobody approves in time is compensated", async () => {
    await startWorker();
    const input = { ...sampleOrder({ large: true }), approvalTimeoutSeconds: 1 };
    const handle = await startOrder("approval-timeout", input);
    assert.match(await failureOf(handle), /ApprovalTimedOut: nobody approved the order within 1 s/);
    assert.deepEqual(await activitiesOf("approval-timeout"), ["reserve", "charge", "refund", "release"]);
    assert.equal((await handle.query(orderStatus)).phase, "takenBack");
  });

  it("a customer cancels an order, which is compensated with the reason", async () => {
    await startWorker();
    const handle = await startOrder("cancelled-by-customer", sampleOrder({ large: true }));
    await reached(handle, "awaitingApproval");
    await handle.signal(cancelOrder, { reason: "ordered twice" });
    assert.match(await failureOf(handle), /OrderCancelled: .*ordered twice/);
    assert.deepEqual(await activitiesOf("cancelled-by-customer"), ["reserve", "charge", "refund", "release"]);
  });

  it("an address changes only to one that the carrier delivers to, and that is where the parcel goes", async () => {
    await startWorker();
    const input = sampleOrder({ large: true });
    const handle = await startOrder("moved", input);
    await reached(handle, "awaitingApproval");
    const change = (country: string): Promise<unknown> =>
      handle.executeUpdate(changeAddress, { args: [{ ...input.address, country }] });
    await assert.rejects(change("Germany"), refused(/expected two capital letters/));
    await assert.rejects(change("AQ"), refused(/AddressRejected: the carrier does not deliver to AQ/));
    await change("FR");
    await handle.executeUpdate(approveOrder, { args: [{ approvedBy: "grace" }] });
    await handle.result();
    const [started] = (await client.workflow.getHandle("moved/shipment").fetchHistory()).events ?? [];
    const parcel = started?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data;
    assert.match(Buffer.from(parcel ?? []).toString(), /"country":"FR"/);
  });

  it("a change of address is refused while another one is being checked", async () => {
    await startWorker({ CHECK_MS: "2000" });
    const input = sampleOrder({ large: true });
    const handle = await startOrder("moved-twice", input);
    await reached(handle, "awaitingApproval");
    const change = (country: string): Promise<unknown> =>
      handle.executeUpdate(changeAddress, { args: [{ ...input.address, country }] });
    const first = change("FR");
    await eventually("the check", async () =>
      (await activitiesOf("moved-twice")).includes("checkAddress") ? true : undefined,
    );
    await assert.rejects(change("NL"), refused(/another change of address is being checked/));
    await first;
    await change("NL");
    await handle.terminate();
  });

  it("an order that is shipping keeps its address, and cancelling it recalls the parcel", async () => {
    await startWorker(HELD);
    const input = sampleOrder();
    const handle = await startOrder("cancelled-while-shipping", input);
    await reached(handle, "shipping");
    await assert.rejects(
      handle.executeUpdate(changeAddress, { args: [input.address] }),
      refused(/too late to change the address: shipping/),
    );
    await eventually("the parcel is followed", async () =>
      (await activitiesOf("cancelled-while-shipping/shipment")).includes("followParcel") ? true : undefined,
    );
    await handle.signal(cancelOrder, { reason: "ordered twice" });
    assert.match(await failureOf(handle), /OrderCancelled/);
    assert.equal(await statusOf("cancelled-while-shipping/shipment"), "CANCELLED");
    assert.deepEqual(await activitiesOf("cancelled-while-shipping/shipment"), [
      "ship",
      "followParcel",
      "recall",
    ]);
  });

  it("a shipment whose order was terminated recalls its parcel", async () => {
    await startWorker(HELD);
    const handle = await startOrder("terminated", sampleOrder());
    await eventually("the parcel is followed", async () =>
      (await activitiesOf("terminated/shipment")).includes("followParcel") ? true : undefined,
    );
    await handle.terminate();
    await eventually("the shipment's end", async () =>
      (await statusOf("terminated/shipment")) === "CANCELLED" ? true : undefined,
    );
    assert.deepEqual(await activitiesOf("terminated/shipment"), ["ship", "followParcel", "recall"]);
  });

  it("a parcel is followed from the last heartbeat on when its worker is killed", async () => {
    const first = await startWorker(HELD);
    const handle = await startOrder("resumed", sampleOrder());
    await eventually("a heartbeat", async () => {
      const { raw } = await client.workflow.getHandle("resumed/shipment").describe();
      return raw.pendingActivities?.find((activity) => activity.heartbeatDetails);
    });
    await first.process.end("SIGKILL");
    const second = await startWorker({});
    assert.match((await handle.result()).trackingNumber, /^parcel:/);
    assert.match(first.process.output, /scans of \S+ after 0/);
    assert.match(second.process.output, /scans of \S+ after 1/);
    assert.doesNotMatch(second.process.output, /scans of \S+ after 0/);
  });

  it("an order whose id was used before is an order of its own, whatever became of the first", async () => {
    await startWorker();
    await failureOf(await startOrder("declined-first", sampleOrder({ fail: "card-declined" })));
    assert.equal((await (await startOrder("declined-first", sampleOrder())).result()).totalMinor, 5120);

    const first = await (await startOrder("completed-first", sampleOrder())).result();
    const [line] = sampleOrder().lines;
    assert.ok(line);
    const larger = { ...sampleOrder(), lines: [{ ...line, quantity: 3 }] };
    const second = await (await startOrder("completed-first", larger)).result();
    assert.equal(second.totalMinor, 7350);
    assert.notEqual(second.chargeId, first.chargeId);

    const cancelled = await startOrder("cancelled-first", sampleOrder({ large: true }));
    await reached(cancelled, "awaitingApproval");
    await cancelled.signal("cancelOrder");
    assert.match(await failureOf(cancelled), /OrderCancelled: .*no reason given/);
    assert.match(
      (await (await startOrder("cancelled-first", sampleOrder())).result()).trackingNumber,
      /^parcel:/,
    );

    const terminated = await startOrder("terminated-first", sampleOrder({ large: true }));
    await reached(terminated, "awaitingApproval");
    await assert.rejects(startOrder("terminated-first", sampleOrder()), /already started/i);
    await terminated.terminate();
    assert.equal((await (await startOrder("terminated-first", sampleOrder())).result()).totalMinor, 5120);
  });

  it("an order that is reset goes on with the keys that it has used", async () => {
    await startWorker();
    const handle = await startOrder("reset", sampleOrder({ large: true }));
    await reached(handle, "awaitingApproval");
    const { events } = await client.workflow.getHandle("reset").fetchHistory();
    const [, , afterCharge] = (events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes);
    await client.workflowService.resetWorkflowExecution({
      namespace: "default",
      workflowExecution: { workflowId: "reset" },
      workflowTaskFinishEventId: afterCharge?.eventId ?? null,
      requestId: "reset",
      reason: "test",
    });
    const again = client.workflow.getHandle<typeof order>("reset");
    await again.signal(cancelOrder, { reason: "ordered twice" });
    assert.match(await failureOf(again), /OrderCancelled/);
    const keys = ((await again.fetchHistory()).events ?? []).flatMap(
      ({ activityTaskScheduledEventAttributes: a }) =>
        a ? [/reset\/[^"]+/.exec(Buffer.from(a.input?.payloads?.[0]?.data ?? []).toString())?.[0]] : [],
    );
    assert.equal(keys.length, 4);
    assert.equal(new Set(keys).size, 2, keys.join(" "));
  });

  it("input and messages that are malformed are refused by type, and nothing waits for ever", async () => {
    await startWorker();
    const started = async (workflow: string, workflowId: string, args: unknown[]): Promise<WorkflowHandle> =>
      client.workflow.start(workflow, { workflowId, taskQueue: TASK_QUEUE, args });
    const addressless = { ...sampleOrder(), address: undefined };
    for (const [workflow, args, failure] of [
      ["order", [{}], /InvalidOrder: customerId: /],
      ["order", [], /InvalidOrder: input: expected an object/],
      ["order", [null], /InvalidOrder/],
      ["order", [addressless], /InvalidOrder: address: expected an object/],
      ["shipment", [{}], /InvalidShipment/],
      ["customerLoyalty", [null], /InvalidAccount/],
      ["customerLoyalty", [{ account: {} }], /InvalidAccount: account.points/],
      ["canary", [{ latenciesMs: 1 }], /InvalidCanary/],
    ] as const) {
      assert.match(await failureOf(await started(workflow, `malformed-${workflow}`, [...args])), failure);
    }
    const account = await started("customerLoyalty", "loyalty/without-input", []);
    assert.equal((await account.query(loyaltyAccount)).points, 0);
    await account.cancel();

    const waiting = await startOrder("malformed-messages", sampleOrder({ large: true }));
    await reached(waiting, "awaitingApproval");
    for (const [update, expected] of [
      ["approveOrder", /ApprovalRefused/],
      ["changeAddress", /AddressChangeRefused/],
    ] as const) {
      for (const sent of [null, "text", {}, { country: "FR" }]) {
        await assert.rejects(waiting.executeUpdate(update, { args: [sent] }), refused(expected));
      }
      await assert.rejects(waiting.executeUpdate(update), refused(expected));
    }
    await waiting.signal("cancelOrder");
    assert.match(await failureOf(waiting), /OrderCancelled: .*no reason given/);
  });

  it("a loyalty account collects points over several runs, each order once", async () => {
    await startWorker();
    const id = loyaltyId("regular");
    const account = await client.workflow.start<typeof customerLoyalty>("customerLoyalty", {
      workflowId: id,
      taskQueue: TASK_QUEUE,
      args: [{ maxHistoryEvents: 10 }],
    });
    const { firstExecutionRunId } = account;
    await (await startOrder("points", sampleOrder({ customerId: "regular", collectsPoints: true }))).result();
    await account.signal("purchaseCompleted");
    for (let index = 0; index < 20; index++) {
      // Every other one is told again.
      const orderId = `order-${Math.floor(index / 2)}`;
      await account.signal(purchaseCompleted, { orderId, totalMinor: 100 });
    }
    const current = client.workflow.getHandle(id);
    const seen = await eventually("all purchases", async () => {
      const state = await current.query(loyaltyAccount);
      return state.purchases === 11 ? state : undefined;
    });
    assert.equal(seen.points, 51 + 10);
    assert.notEqual((await current.describe()).runId, firstExecutionRunId);
    await current.cancel();
  });

  it("the first purchase opens an account", async () => {
    await startWorker();
    const input = sampleOrder({ customerId: "newcomer", collectsPoints: true });
    await (await startOrder("opens-account", input)).result();
    const { points } = await client.workflow.getHandle(loyaltyId("newcomer")).query(loyaltyAccount);
    assert.equal(points, 51);
  });

  it("the canary names its build and the time of each step", async () => {
    await startWorker();
    const { buildId, latenciesMs } = await client.workflow.execute<typeof canary>("canary", {
      workflowId: "canary",
      taskQueue: TASK_QUEUE,
    });
    assert.match(buildId, /\+[0-9a-f]{64}$/);
    assert.deepEqual(Object.keys(latenciesMs), [
      "start",
      "timer",
      "activity",
      "localActivity",
      "childWorkflow",
      "continueAsNew",
    ]);
    for (const [step, ms] of Object.entries(latenciesMs)) assert.ok(ms >= 0 && ms < 30_000, `${step}: ${ms}`);
  });
});
