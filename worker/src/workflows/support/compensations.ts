import { ApplicationFailure, CancellationScope, log, proxyActivities } from "@temporalio/workflow";
import type { Activities } from "../../activities/types";

// Giving up on a compensation costs a person's work, so it outlasts a long outage of the other side.
/** The activities as compensations call them. */
export const compensation = proxyActivities<Activities>({
  startToCloseTimeout: "20 s",
  scheduleToCloseTimeout: "7 days",
  retry: {
    initialInterval: "1 s",
    backoffCoefficient: 2,
    maximumInterval: "10 min",
    nonRetryableErrorTypes: [],
  },
});

/** The type of the failure that asks for a person. */
export const COMPENSATION_FAILED = "CompensationFailed";

interface Compensation {
  readonly step: string;
  readonly undo: () => Promise<unknown>;
}

/**
 * What must be compensated if the workflow does not reach its end.
 *
 * A compensation is registered before its step runs: a step that timed out may have happened all the same.
 */
export class Compensations {
  private readonly pending: Compensation[] = [];

  add(step: string, undo: () => Promise<unknown>): void {
    this.pending.push({ step, undo });
  }

  /**
   * Takes every registered step back, the latest first, even while the workflow is being cancelled. One that
   * fails does not keep the others from running.
   *
   * @throws ApplicationFailure `CompensationFailed`, naming the steps that a person has to compensate
   */
  async run(): Promise<void> {
    const failed: string[] = [];
    await CancellationScope.nonCancellable(async () => {
      for (let next = this.pending.pop(); next !== undefined; next = this.pending.pop()) {
        try {
          await next.undo();
        } catch (error) {
          failed.push(next.step);
          log.error("a step could not be compensated", { step: next.step, error });
        }
      }
    });
    if (failed.length > 0) {
      throw ApplicationFailure.create({
        type: COMPENSATION_FAILED,
        message: `could not be taken back: ${failed.join(", ")}`,
        nonRetryable: true,
        details: [{ steps: failed }],
      });
    }
  }
}
