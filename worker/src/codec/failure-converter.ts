import { DefaultFailureConverter } from "@temporalio/common";
import type { PayloadConverter, ProtoFailure, SerializationContext } from "@temporalio/common";

/**
 * Puts messages and stack traces of failures where the payload codec encrypts them, and leaves outside what stands
 * there in the clear anyway: the type. "Encoded failure" for each of them would tell nobody without keys anything, in
 * the CLI, the UI and the log of the SDK's core.
 */
class SummarisingFailureConverter extends DefaultFailureConverter {
  constructor() {
    super({ encodeCommonAttributes: true });
  }

  override errorToFailure(
    error: unknown,
    payloadConverter: PayloadConverter,
    context?: SerializationContext,
  ): ProtoFailure {
    const failure = super.errorToFailure(error, payloadConverter, context);
    return { ...failure, message: `${kindOf(failure)} (its message is encrypted)` };
  }
}

/** An application's own type of failure, else what failed. */
function kindOf(failure: ProtoFailure): string {
  if (failure.applicationFailureInfo) return failure.applicationFailureInfo.type ?? "error";
  if (failure.activityFailureInfo)
    return `activity ${failure.activityFailureInfo.activityType?.name ?? ""} failed`;
  if (failure.childWorkflowExecutionFailureInfo) {
    return `child workflow ${failure.childWorkflowExecutionFailureInfo.workflowType?.name ?? ""} failed`;
  }
  if (failure.canceledFailureInfo) return "cancelled";
  if (failure.terminatedFailureInfo) return "terminated";
  if (failure.timeoutFailureInfo) return "timed out";
  return "error";
}

/** Loaded by path, in the worker and in the workflow bundle, hence the fixed name. */
export const failureConverter = new SummarisingFailureConverter();
