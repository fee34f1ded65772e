import type { Worker } from "@temporalio/worker";
import { causeChain } from "./errors";
import type { Logger } from "./logger";

/** Timers may fire this much before the clock says so, in ms. */
const TIMER_SLACK_MS = 50;

/** The drain took longer than it may. */
export class ForcedShutdown extends Error {
  override readonly name = "ForcedShutdown";
}

/**
 * Runs until told to stop, or until one worker fails, which takes the others along: half a process helps nobody.
 *
 * @param forceMs after this long without an end of the drain the SDK gives up on activities
 * @throws ForcedShutdown when it did; else what the first worker failed with
 */
export async function runAll(
  workers: readonly Worker[],
  forceMs: number,
  stop: AbortSignal,
  logger: Logger,
): Promise<void> {
  let stoppedAt = Number.POSITIVE_INFINITY;
  const failures: unknown[] = [];
  const shutdownAll = (): void => {
    for (const worker of workers) if (worker.getState() === "RUNNING") worker.shutdown();
  };
  const drain = (): void => {
    logger.info({ reason: causeChain(stop.reason) }, "draining");
    stoppedAt = Date.now();
    shutdownAll();
  };
  const run = (worker: Worker): Promise<void> =>
    worker
      .run()
      .catch((error: unknown) => void failures.push(error))
      .finally(shutdownAll);
  stop.addEventListener("abort", drain, { once: true });
  try {
    await Promise.all(workers.map(run));
  } finally {
    stop.removeEventListener("abort", drain);
  }
  if (failures.length === 0) return;
  const forced = Date.now() - stoppedAt >= forceMs - TIMER_SLACK_MS;
  throw forced ? new ForcedShutdown("the drain ran out of time", { cause: failures[0] }) : failures[0];
}
