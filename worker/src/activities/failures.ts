import { ApplicationFailure } from "@temporalio/common";
import { BusinessError } from "../domain/errors";

/**
 * Runs domain code inside an activity and gives a business error its Temporal form, type and details included.
 * Whether a type is retried is for the workflow's retry policy to say; any other error is left as it is.
 */
export async function withTypedFailures<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof BusinessError)) throw error;
    throw ApplicationFailure.create({ type: error.type, message: error.message, details: [error.details] });
  }
}
