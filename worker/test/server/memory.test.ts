import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { OrderClient } from "../../src/client";
import { loadClientConfig } from "../../src/config";
import type { Order } from "../../src/domain/order";
import { sampleOrder } from "../../src/domain/sample-orders";
import { eventually, keyringFolder, Server, TASK_QUEUE, WorkerProcess } from "./harness";
import { MemoryCgroup } from "./memory-cgroup";

const MIB = 1024 ** 2;
const GB = 1e9;
/** Default memory limit of a worker pod. */
const LIMIT = Number(process.env["MEMORY_TEST_LIMIT_MIB"] ?? 1024) * MIB;
/** The image's share of it for the heap of one thread. */
const HEAP_SHARE = 0.4;
/** Temporal refuses payloads above 2 MiB; encryption adds some bytes. */
const PAYLOAD_BYTES = 1_900_000;
/** The order's lines are in the workflow's input and in those of `reserve` and `ship`. */
const PAYLOADS_PER_ORDER = 3;
const TOTAL_BYTES = Number(process.env["MEMORY_TEST_GB"] ?? 4) * GB;
/** Keeps orders open, so that more of them are alive at once than the cache holds. */
const DELAY_SECONDS = Number(process.env["MEMORY_TEST_DELAY"] ?? 20);

function largeOrder(): Order {
  const order = sampleOrder({ delaySeconds: DELAY_SECONDS });
  const line = { sku: `TEAPOT-${"x".repeat(80)}`, quantity: 1, unitPriceMinor: 1 };
  const count = Math.floor(PAYLOAD_BYTES / (JSON.stringify(line).length + 1));
  return { ...order, lines: Array.from({ length: count }, () => line) };
}

describe("worker under its default memory limit", function () {
  this.timeout(900_000);

  let cgroup: MemoryCgroup;
  before(function () {
    try {
      cgroup = MemoryCgroup.create(`temporal-worker-test-${process.pid}`, LIMIT);
    } catch (error) {
      console.error(`      NOT TESTED: no memory limit can be set on this machine: ${String(error)}`);
      this.skip();
    }
  });
  after(() => cgroup?.remove());

  it("survives large payloads of 4 GB", async () => {
    const keys = keyringFolder(["key-1"]);
    const server = await Server.create();
    await server.start();
    const env = {
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: "default",
      TEMPORAL_TASK_QUEUES: TASK_QUEUE,
      CODEC_KEYS_DIR: keys,
      CODEC_ACTIVE_KEY: "key-1",
    };
    const worker = await WorkerProcess.start(
      {
        ...env,
        NODE_OPTIONS: `--max-old-space-size=${Math.floor((LIMIT / MIB) * HEAP_SHARE)}`,
        ...JSON.parse(process.env["MEMORY_TEST_ENV"] ?? "{}"),
      },
      undefined,
      (command) => cgroup.wrap(command),
    );
    const client = await OrderClient.connect(loadClientConfig(env));
    try {
      await worker.answers("/readyz", 200);
      const order = largeOrder();
      const count = Math.ceil(TOTAL_BYTES / (PAYLOAD_BYTES * PAYLOADS_PER_ORDER));
      const startedAt = Date.now();
      const waiting = Array.from({ length: count }, (_, index) => `large-${index}`);
      const ids = [...waiting];
      const starter = async (): Promise<void> => {
        for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
          const workflowId = id;
          await eventually(`start of ${id}`, () => client.start(workflowId, order).then(() => true));
        }
      };
      await Promise.all(Array.from({ length: 3 }, starter));
      console.log(
        `      started ${count} in ${(Date.now() - startedAt) / 1000} s, peak ${Math.round(cgroup.peakBytes / MIB)}`,
      );
      const ended = new Map<string, number>();
      for (const id of ids) {
        const { status } = await client.outcome(id, 600);
        ended.set(status, (ended.get(status) ?? 0) + 1);
      }
      console.log(
        `      ${count} orders of ${PAYLOADS_PER_ORDER} payloads of ${PAYLOAD_BYTES} bytes in ${(Date.now() - startedAt) / 1000} s, peak ${Math.round(cgroup.peakBytes / MIB)} MiB of ${LIMIT / MIB}`,
      );
      assert.ok(worker.process.running, worker.process.output.slice(-5000));
      assert.deepEqual(Object.fromEntries(ended), { completed: count });
    } catch (error) {
      console.log(worker.process.output.slice(-5000), await worker.process.running);
      throw error;
    } finally {
      await worker.process.end("SIGTERM");
      await client.close();
      await server.remove();
      rmSync(keys, { recursive: true });
    }
  });
});
