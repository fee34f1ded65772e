import { ApplicationFailure, CancellationScope, log } from "@temporalio/workflow";

interface Compensation {
  readonly step: string;
  readonly undo: () => Promise<unknown>;
}

/**
 * What must be taken back if the workflow does not reach its end.
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
   * @throws ApplicationFailure `CompensationFailed`, naming the steps that a person has to take back
   */
  async run(): Promise<void> {
    const failed: string[] = [];
    await CancellationScope.nonCancellable(async () => {
      for (let next = this.pending.pop(); next !== undefined; next = this.pending.pop()) {
        try {
          await next.undo();
        } catch (error) {
          failed.push(next.step);
          log.error("a step could not be taken back", { step: next.step, error });
        }
      }
    });
    if (failed.length > 0) {
      throw ApplicationFailure.create({
        type: "CompensationFailed",
        message: `could not be taken back: ${failed.join(", ")}`,
        nonRetryable: true,
        details: [{ steps: failed }],
      });
    }
  }
}
