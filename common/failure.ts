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

/** Renders any thrown value for the terminal; only unexpected errors come with their stack. */
export function describeFailure(error: unknown): string {
  if (error instanceof Failure) {
    return [error.message, ...error.details.map((line) => `  | ${line}`), `→ ${error.remedy}`].join("\n");
  }
  if (error instanceof Error) return error.stack ?? error.message;
  return String(error);
}

/** The last lines of a text, for showing why a program ended. */
export const lastLines = (text: string, count = 15): string[] =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-count);
