// Runs every way an order can go against a real server and writes the histories that `npm test` replays.
// Usage: TEMPORAL_CLI_PATH=... npm run histories:record
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { historyToJSON } from "@temporalio/common/lib/proto-utils";
import { failureConverterPath } from "../../src/codec/data-converter";
import { sampleOrder } from "../../src/domain/sample-orders";
import type { Order } from "../../src/domain/order";
import { eventually, PACKAGE, Server, TASK_QUEUE, WorkerProcess } from "./harness";

const FOLDER = join(PACKAGE, "test", "histories");

const ORDERS: Readonly<Record<string, Order>> = {
  "order-completed": sampleOrder(),
  "order-completed-after-delay": sampleOrder({ delaySeconds: 1 }),
  "order-out-of-stock": sampleOrder({ fail: "out-of-stock" }),
  "order-card-declined": sampleOrder({ fail: "card-declined" }),
  "order-address-rejected": sampleOrder({ fail: "address-rejected" }),
  "order-invalid": { ...sampleOrder(), lines: [] },
  "order-cancelled": sampleOrder({ delaySeconds: 600 }),
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

async function record(client: Client, workflowId: string, order: Order): Promise<void> {
  const handle = await client.workflow.start("order", { workflowId, taskQueue: TASK_QUEUE, args: [order] });
  if (workflowId === "order-cancelled") {
    await eventually("the timer", async () =>
      (await handle.fetchHistory()).events?.find((event) => event.timerStartedEventAttributes),
    );
    await handle.cancel();
  }
  await handle.result().catch(() => undefined);
  const history = withoutStackTraces(JSON.parse(historyToJSON(await handle.fetchHistory())));
  writeFileSync(join(FOLDER, `${workflowId}.json`), `${JSON.stringify({ workflowId, history }, null, 2)}\n`);
  console.log(workflowId);
}

async function main(): Promise<void> {
  const server = await Server.create();
  await server.start();
  const worker = await WorkerProcess.start({
    TEMPORAL_ADDRESS: server.address,
    TEMPORAL_NAMESPACE: "default",
    TEMPORAL_TASK_QUEUES: TASK_QUEUE,
    POD_NAME: "recorder",
  });
  const connection = await Connection.connect({ address: server.address });
  try {
    const client = new Client({ connection, identity: "recorder", dataConverter: { failureConverterPath } });
    mkdirSync(FOLDER, { recursive: true });
    for (const [workflowId, order] of Object.entries(ORDERS)) await record(client, workflowId, order);
  } finally {
    await connection.close();
    await worker.stop();
    await server.remove();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
