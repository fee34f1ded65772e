import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { order } from "./support";

const PAUSE_MS = 300;

/** What came of a load. */
export interface LoadResult {
  /** Ids of the workflows whose start was acknowledged. */
  readonly accepted: readonly string[];
  /** Starts that were refused. */
  readonly refused: number;
  /** Longest time from one acknowledged start to the next. */
  readonly longestGapMs: number;
}

/**
 * Starts orders one after the other for as long as some work takes, and on until one more was acknowledged: within
 * two minutes after the work.
 */
export async function underLoad(work: () => Promise<void>): Promise<LoadResult> {
  const accepted: string[] = [];
  let refused = 0;
  let longestGapMs = 0;
  let giveUpAt = Infinity;
  const startOrders = async (): Promise<void> => {
    let lastSuccess = Date.now();
    for (;;) {
      const { exitCode, orders } = await order("--start-only");
      accepted.push(...orders.map(({ workflowId }) => workflowId));
      if (exitCode === 0) {
        longestGapMs = Math.max(longestGapMs, Date.now() - lastSuccess);
        lastSuccess = Date.now();
        if (giveUpAt !== Infinity) return;
      } else refused++;
      assert.ok(Date.now() < giveUpAt, `no order can be started any more; ${refused} were refused`);
      await delay(PAUSE_MS);
    }
  };
  const load = startOrders();
  try {
    await work();
  } finally {
    giveUpAt = Date.now() + 120_000;
    await load;
  }
  return { accepted, refused, longestGapMs };
}
