import assert from "node:assert/strict";
import { z } from "zod";
import { eventually } from "../support/eventually";
import { order, orderCommand } from "./support";

/** Starts orders that stay open for a while, and returns their ids. */
export const startOrders = (count: number, delaySeconds: number): Promise<string[]> =>
  start(count, "--delay", String(delaySeconds));

/** Starts orders that stay open until {@link release}, however long that takes, and returns their ids. */
export const holdOrders = (count: number): Promise<string[]> => start(count, "--large");

async function start(count: number, ...options: string[]): Promise<string[]> {
  const { orders } = await order("--count", String(count), ...options, "--start-only");
  assert.equal(orders.length, count);
  return orders.map(({ workflowId }) => workflowId);
}

/** A worker that has just started answers no more within the client's time. */
const AT_ONCE = 50;

const statusSchema = z.object({ phase: z.string() });

/** Makes sure that all of these orders are still held, and lets them go on. */
export async function release(ids: readonly string[]): Promise<void> {
  for (let first = 0; first < ids.length; first += AT_ONCE) {
    const some = ids.slice(first, first + AT_ONCE);
    await eventually("every order waits for its approval", async () => {
      const { lines } = await orderCommand("--status", ...some);
      const held = lines.filter((line) => statusSchema.parse(line).phase === "awaitingApproval");
      return held.length === some.length;
    });
    const { exitCode, output } = await orderCommand("--approve", ...some);
    assert.equal(exitCode, 0, output);
  }
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
