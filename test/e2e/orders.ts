import assert from "node:assert/strict";
import { order } from "./support";

/** Starts orders that stay open for a while, and returns their ids. */
export async function startOrders(count: number, delaySeconds: number): Promise<string[]> {
  const { orders } = await order(
    ...["--count", String(count), "--delay", String(delaySeconds), "--start-only"],
  );
  assert.equal(orders.length, count);
  return orders.map(({ workflowId }) => workflowId);
}

/** Waits for orders and makes sure that each one has completed. */
export async function allComplete(ids: readonly string[]): Promise<void> {
  const { orders } = await order("--await", ...ids);
  assert.deepEqual(
    orders.filter(({ status }) => status !== "completed"),
    [],
  );
  assert.equal(orders.length, ids.length);
}
