/** A failure that the user can act on: shown without a stack trace. */
export class Failure extends Error {
  override readonly name = "Failure";

  /**
   * @param problem what went wrong, in one sentence
   * @param remedy what to do about it; the next run carries on from where this one stopped
   * @param details further lines, such as the end of a log
   */
  constructor(
    problem: string,
    readonly remedy: string,
    readonly details: readonly string[] = [],
  ) {
    super(problem);
  }
}

/**
 * Whether an error is the user's to mend, with all of it in its message: what the settings throw, which know no
 * {@link Failure}, and what ends a Pulumi program without a stack trace. The mark saves loading the SDK.
 */
export const isRunError = (error: unknown): error is Error =>
  error instanceof Error && "__pulumiRunError" in error;

/** Renders any thrown value for the terminal; only unexpected errors come with their stack. */
export function describeFailure(error: unknown): string {
  if (error instanceof Failure) {
    return [error.message, ...error.details.map((line) => `  | ${line}`), `→ ${error.remedy}`].join("\n");
  }
  if (isRunError(error)) return error.message;
  if (error instanceof Error) return error.stack ?? error.message;
  return String(error);
}

/** The last lines of a text, for showing why a program ended. */
export const lastLines = (text: string, count = 15): string[] =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-count);
