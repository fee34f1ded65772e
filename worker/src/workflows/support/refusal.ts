import { ApplicationFailure } from "@temporalio/workflow";

/**
 * Refuses what somebody sent: as the input of a workflow, which then fails, or of an update.
 *
 * @throws ApplicationFailure of the type given, not retryable, when there are problems
 */
export function refuseInvalid(type: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw ApplicationFailure.create({
    type,
    message: problems.join("; "),
    nonRetryable: true,
    details: [{ problems }],
  });
}
