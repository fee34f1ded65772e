// Starts orders on several task queues in turns, a limited number at once, and prints how long each turn took: one
// JSON object per line. Its argument is the JSON of { address, namespace, count, concurrency, warmUp, rounds, turns }.
import { randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import { Client, Connection } from "@temporalio/client";
import { createDataConverter } from "../../lib/codec/data-converter.js";
import { loadKeyring } from "../../lib/codec/keyring.js";
import { sampleOrder } from "../../lib/domain/sample-orders.js";

const { address, namespace, count, concurrency, warmUp, rounds, turns } = JSON.parse(process.argv[2]);

const connection = await Connection.connect({ address, channelArgs: { "grpc.enable_http_proxy": 0 } });
const starters = turns.map(({ name, taskQueue, keyring }) => {
  const dataConverter = createDataConverter(keyring && loadKeyring(keyring.folder, keyring.active));
  const client = new Client({ connection, namespace, dataConverter });
  const order = () =>
    client.workflow.execute("order", {
      workflowId: `order-${randomUUID()}`,
      taskQueue,
      args: [sampleOrder()],
      // Of a worker that has ended, too, somebody should hear.
      workflowExecutionTimeout: "5 min",
    });
  return { name, order };
});

for (const { order } of starters) await run(order, warmUp);
for (let round = 0; round < rounds; round++) {
  // The server slows down with every order that it keeps: each round turns the order of the one before around.
  for (const { name, order } of round % 2 === 0 ? starters : starters.toReversed()) {
    console.log(JSON.stringify({ name, seconds: await run(order, count) }));
  }
}
await connection.close();

/** Runs orders to their ends; one that fails fails the whole. */
async function run(order, total) {
  let left = total;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: Math.min(concurrency, total) }, async () => {
      while (left-- > 0) await order();
    }),
  );
  return (performance.now() - started) / 1_000;
}
