// Runs every way that each workflow can go against a real server and writes the histories that `npm test` replays.
// Usage: TEMPORAL_CLI_PATH=... npm run histories:record [-- SCENARIO...]; without names all of them.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import type { WorkflowHandle } from "@temporalio/client";
import { historyToJSON } from "@temporalio/common/lib/proto-utils";
import { failureConverterPath } from "../../src/codec/data-converter";
import type { OrderPhase } from "../../src/domain/order";
import { sampleOrder } from "../../src/domain/sample-orders";
import { approveOrder, cancelOrder, changeAddress, orderStatus, purchaseCompleted } from "../../src/messages";
import type * as workflows from "../../src/workflows";
import { eventually, PACKAGE, WorkerProcess } from "../support/process";
import { Server, TASK_QUEUE } from "./harness";

const FOLDER = join(PACKAGE, "test", "histories");
/** Served by a worker whose carrier does not take parcels over. */
const HELD_QUEUE = `${TASK_QUEUE}-held`;

type Name = keyof typeof workflows;

/** One way in which a workflow can go; its key is the workflow's id. */
interface Scenario {
  readonly workflow: Name;
  readonly args: readonly unknown[];
  readonly taskQueue?: string;
  /** What is done to the workflow while it runs. */
  readonly act?: (handle: WorkflowHandle) => Promise<unknown>;
  /** Child workflows to be recorded as well, by the end of their ids. */
  readonly children?: readonly string[];
}

const scenario = <W extends Name>(
  it: Scenario & { readonly workflow: W; readonly args: Parameters<(typeof workflows)[W]> },
): Scenario => it;

/** Started by somebody who does not know what the workflow takes. */
const malformed = (workflow: Name, input: unknown): Scenario => ({ workflow, args: [input] });

const reached = (handle: WorkflowHandle, phase: OrderPhase): Promise<unknown> =>
  eventually(phase, async () => ((await handle.query(orderStatus)).phase === phase ? true : undefined));

const order = (
  options: Parameters<typeof sampleOrder>[0],
  act?: Scenario["act"],
  more: Partial<Pick<Scenario, "taskQueue" | "children">> = {},
): Scenario =>
  scenario({
    workflow: "order",
    args: [sampleOrder(options)],
    ...(act === undefined ? {} : { act }),
    ...more,
  });

const { address } = sampleOrder();

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "order-completed": order({}, undefined, { children: ["shipment"] }),
  "order-completed-after-delay": order({ delaySeconds: 1 }),
  "order-collecting-points": order({ collectsPoints: true }),
  "order-out-of-stock": order({ fail: "out-of-stock" }),
  "order-card-declined": order({ fail: "card-declined" }),
  "order-address-rejected": order({ fail: "address-rejected" }, undefined, { children: ["shipment"] }),
  "order-invalid": scenario({ workflow: "order", args: [{ ...sampleOrder(), lines: [] }] }),
  "order-malformed": malformed("order", {}),
  "order-cancelled-without-reason": order({ large: true }, async (handle) => {
    await reached(handle, "awaitingApproval");
    await handle.signal("cancelOrder");
  }),
  "order-approved": order({ large: true }, async (handle) => {
    await reached(handle, "awaitingApproval");
    await handle.executeUpdate(approveOrder, { args: [{ approvedBy: "recorder" }] });
  }),
  "order-approval-timed-out": scenario({
    workflow: "order",
    args: [{ ...sampleOrder({ large: true }), approvalTimeoutSeconds: 1 }],
  }),
  "order-address-changed": order({ large: true }, async (handle) => {
    await reached(handle, "awaitingApproval");
    await handle
      .executeUpdate(changeAddress, { args: [{ ...address, country: "AQ" }] })
      .catch(() => undefined);
    await handle.executeUpdate(changeAddress, { args: [{ ...address, country: "FR" }] });
    await handle.executeUpdate(approveOrder, { args: [{ approvedBy: "recorder" }] });
  }),
  "order-cancelled": order({ delaySeconds: 600 }, async (handle) => {
    await reached(handle, "preparing");
    await handle.cancel();
  }),
  "order-cancelled-by-customer": order({ delaySeconds: 600 }, async (handle) => {
    await reached(handle, "preparing");
    await handle.signal(cancelOrder, { reason: "ordered twice" });
  }),
  "order-cancelled-while-shipping": order(
    {},
    async (handle) => {
      await reached(handle, "shipping");
      await handle.signal(cancelOrder, { reason: "ordered twice" });
    },
    { taskQueue: HELD_QUEUE, children: ["shipment"] },
  ),
  "customer-loyalty": scenario({
    workflow: "customerLoyalty",
    args: [{ maxHistoryEvents: 8 }],
    act: async (handle) => {
      const { runId } = await handle.describe();
      for (let purchase = 1; (await handle.describe()).runId === runId; purchase++) {
        await handle.signal(purchaseCompleted, { orderId: `order-${purchase}`, totalMinor: 1234 });
      }
      await handle.cancel();
    },
  }),
  "customer-loyalty-malformed": malformed("customerLoyalty", { account: {} }),
  "shipment-malformed": malformed("shipment", {}),
  canary: scenario({ workflow: "canary", args: [], children: ["child"] }),
};

/** Stack traces hold the paths of the machine that recorded them, and replay does not look at them. */
function withoutStackTraces(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutStackTraces);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key !== "encodedAttributes") return [key, key === "stackTrace" ? "" : withoutStackTraces(inner)];
      const attributes: unknown = JSON.parse(
        Buffer.from((inner as { data: string }).data, "base64").toString(),
      );
      const data = JSON.stringify({ ...Object(attributes), stack_trace: "" });
      return [key, { ...inner, data: Buffer.from(data).toString("base64") }];
    }),
  );
}

/** Recorded by workflows as they were, so that they cannot be recorded again; named after the patch since. */
const EARLIER: readonly string[] = ["order-before-run-keys"];

function removeRecorded(): void {
  for (const file of readdirSync(FOLDER)) {
    if (!EARLIER.includes(file.replace(/\.json$/, ""))) rmSync(join(FOLDER, file));
  }
}

/** Writes one file for each run. */
async function save(client: Client, workflowId: string, firstRunId: string | undefined): Promise<void> {
  for (let run = 1, runId = firstRunId; run === 1 || runId !== undefined; run++) {
    const recorded = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const name = workflowId.replaceAll("/", "-") + (run === 1 ? "" : `-run-${run}`);
    const history = withoutStackTraces(JSON.parse(historyToJSON(recorded)));
    writeFileSync(join(FOLDER, `${name}.json`), `${JSON.stringify({ workflowId, history }, null, 2)}\n`);
    console.log(name);
    runId =
      recorded.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
  }
}

async function record(client: Client, workflowId: string, it: Scenario): Promise<void> {
  const handle = await client.workflow.start(it.workflow, {
    workflowId,
    taskQueue: it.taskQueue ?? TASK_QUEUE,
    args: [...it.args],
  });
  await it.act?.(handle);
  await handle.result().catch(() => undefined);
  await save(client, workflowId, handle.firstExecutionRunId);
  for (const child of it.children ?? []) await save(client, `${workflowId}/${child}`, undefined);
}

async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !(name in SCENARIOS));
  if (unknown.length > 0) throw new Error(`${unknown.join(", ")}: no such scenario in ${__filename}`);
  const server = await Server.create();
  await server.start();
  const env = {
    TEMPORAL_ADDRESS: server.address,
    TEMPORAL_NAMESPACE: "default",
    TEMPORAL_TASK_QUEUES: TASK_QUEUE,
    POD_NAME: "recorder",
  };
  const workers = [
    await WorkerProcess.start(env),
    await WorkerProcess.start(
      { ...env, TEMPORAL_TASK_QUEUES: HELD_QUEUE, HOLD_AT_SCAN: "1" },
      "test/server/carrier-worker.ts",
    ),
  ];
  const connection = await Connection.connect({ address: server.address });
  try {
    for (const worker of workers) await worker.answers("/readyz", 200);
    const client = new Client({ connection, identity: "recorder", dataConverter: { failureConverterPath } });
    mkdirSync(FOLDER, { recursive: true });
    if (names.length === 0) removeRecorded();
    for (const [workflowId, it] of Object.entries(SCENARIOS)) {
      if (names.length === 0 || names.includes(workflowId)) await record(client, workflowId, it);
    }
  } finally {
    await connection.close();
    await Promise.all(workers.map((worker) => worker.stop()));
    await server.remove();
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
