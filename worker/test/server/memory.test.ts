import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { OrderClient } from "../../src/client";
import { loadClientConfig } from "../../src/config";
import type { Order } from "../../src/domain/order";
import { sampleOrder } from "../../src/domain/sample-orders";
import { imageAllocator } from "../image-environment";
import { eventually, keyringFolder, WorkerProcess } from "../support/process";
import { Server, TASK_QUEUE } from "./harness";
import { MemoryCgroup } from "./memory-cgroup";

const MIB = 1024 ** 2;
/** Default memory limit of a worker pod. */
const LIMIT = 1024 * MIB;
/** As the image and the Deployment set it: the heap of each of the two threads, and how memory is given back. */
const ENVIRONMENT = {
  NODE_OPTIONS: `--max-old-space-size=${Math.floor((LIMIT / MIB) * 0.35)}`,
  ...imageAllocator(),
};
/** Temporal refuses payloads above 2 MiB; encryption adds some bytes. */
const PAYLOAD_BYTES = 1_900_000;
/** The order's lines are in the inputs of the workflow, of `reserve`, of its shipment and of `ship`. */
const PAYLOADS_PER_ORDER = 4;
/** A leak of one part in six of what passes through would end the worker; `MEMORY_TEST_GB=4` looks longer. */
const TOTAL_GB = Number(process.env["MEMORY_TEST_GB"] ?? "1.2");
const TOTAL_BYTES = TOTAL_GB * 1e9;
const ORDERS = Math.ceil(TOTAL_BYTES / (PAYLOAD_BYTES * PAYLOADS_PER_ORDER));
/** Open all the while: more than the cache holds, so that it is full. */
const WAITING_ORDERS = 80;
const WAITING_SECONDS = 3600;
/** What a dev server with its one file can take at the same time. */
const CUSTOMERS = 6;
/** What the peak may be of the limit: most of it is reached with the first gigabyte. */
const LARGEST_PART = 0.75;
/** While it is busy, it may refuse. */
const BUSY_MS = 120_000;

function largeOrder(delaySeconds: number): Order {
  const line = { sku: `TEAPOT-${"x".repeat(80)}`, quantity: 1, unitPriceMinor: 1 };
  const count = Math.floor(PAYLOAD_BYTES / (JSON.stringify(line).length + 1));
  return { ...sampleOrder({ delaySeconds }), lines: Array.from({ length: count }, () => line) };
}

/** Does something for each of a number of orders, a few at a time. */
async function eachOrder(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const customer = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: CUSTOMERS }, customer));
}

async function start(client: OrderClient, workflowId: string, order: Order): Promise<void> {
  await eventually(`start of ${workflowId}`, () => client.start(workflowId, order).then(() => true), BUSY_MS);
}

describe("worker under its default memory limit", function () {
  this.timeout(900_000);

  let cgroup: MemoryCgroup | undefined;
  before(function () {
    try {
      cgroup = MemoryCgroup.create(`temporal-worker-test-${process.pid}`, LIMIT);
    } catch (error) {
      console.error(`      NOT TESTED: no memory limit can be set on this machine: ${String(error)}`);
      this.skip();
    }
  });
  after(() => cgroup?.remove());

  it(`survives large payloads of ${TOTAL_GB} GB, with memory to spare`, async () => {
    assert.ok(cgroup);
    const limited = cgroup;
    const keys = keyringFolder(["key-1"]);
    const server = await Server.create();
    await server.start();
    const env = {
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: "default",
      TEMPORAL_TASK_QUEUES: TASK_QUEUE,
      CODEC_KEYS_DIR: keys,
      CODEC_ACTIVE_KEY: "key-1",
      ...ENVIRONMENT,
    };
    const worker = await WorkerProcess.start(env, undefined, (command) => limited.wrap(command));
    const client = await OrderClient.connect(loadClientConfig(env));
    try {
      await worker.answers("/readyz", 200);
      const waiting = largeOrder(WAITING_SECONDS);
      await eachOrder(WAITING_ORDERS, (index) => start(client, `waiting-${index}`, waiting));
      const ended: Record<string, number> = {};
      const passing = largeOrder(0);
      await eachOrder(ORDERS - WAITING_ORDERS, async (index) => {
        await start(client, `passing-${index}`, passing);
        const { status } = await client.outcome(`passing-${index}`, 600);
        ended[status] = (ended[status] ?? 0) + 1;
      });
      assert.ok(worker.process.running, worker.process.output.slice(-5000));
      assert.deepEqual(ended, { completed: ORDERS - WAITING_ORDERS });
      const peak = Math.round(limited.peakBytes / MIB);
      console.log(
        `      ${ORDERS} orders of ${PAYLOADS_PER_ORDER} payloads, peak ${peak} of ${LIMIT / MIB} MiB`,
      );
      assert.ok(limited.peakBytes < LIMIT * LARGEST_PART, `peak ${peak} MiB`);
    } finally {
      await worker.process.end("SIGTERM");
      await client.close();
      await server.remove();
      rmSync(keys, { recursive: true });
    }
  });
});
