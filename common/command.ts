import type { Command } from "commander";
import { type ExitCode, exitCodes } from "./exitCodes";
import { describeFailure, isRunError } from "./failure";
import { runningChildren } from "./children";
import { UsageFailure } from "./usageFailure";

/** How a command takes an interruption. */
export interface CommandOptions<Options> {
  /** What to do after an interruption, in one sentence. */
  readonly afterInterruption?: string | ((options: Options) => string);
  /**
   * `exit` (the default): the command ends as soon as the Pulumi CLI that it runs has ended.
   * `finish`: the work watches its signal and ends by itself, after it has cleaned up.
   */
  readonly onSignal?: "exit" | "finish";
}

/**
 * The frame of every command: parses the arguments, runs the work, prints its failure and sets the exit code.
 *
 * On Ctrl-C or SIGTERM the Pulumi CLI ends first, in its own time, as it has to record what it did; then the command
 * does. A second signal ends the command at once.
 *
 * @param work gets the options, the remaining arguments and a signal that an interruption aborts
 */
export function runCommand<Options extends object>(
  command: Command,
  work: (options: Options, signal: AbortSignal, args: readonly string[]) => Promise<number> | Promise<void>,
  {
    afterInterruption = "run the command again: it carries on from here",
    onSignal = "exit",
  }: CommandOptions<Options> = {},
): void {
  command
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? exitCodes.ok : exitCodes.usage))
    .parse();
  const stop = new AbortController();
  const interrupt = async (): Promise<void> => {
    if (stop.signal.aborted) process.exit(exitCodes.interrupted);
    stop.abort();
    await runningChildren();
    const remedy =
      typeof afterInterruption === "string" ? afterInterruption : afterInterruption(command.opts<Options>());
    console.error(`\ninterrupted; ${remedy}`);
    if (onSignal === "exit") process.exit(exitCodes.interrupted);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void interrupt());
  const interrupted = (): boolean => stop.signal.aborted;
  // What the work throws before it gives a promise is its failure as well.
  const done = (async (): Promise<unknown> => work(command.opts<Options>(), stop.signal, command.args))();
  done.then(
    (code) => {
      process.exitCode = interrupted()
        ? exitCodes.interrupted
        : typeof code === "number"
          ? code
          : exitCodes.ok;
    },
    (error: unknown) => {
      if (!interrupted()) console.error(`\n${describeFailure(error)}`);
      process.exitCode = interrupted() ? exitCodes.interrupted : exitCodeOf(error);
    },
  );
}

const exitCodeOf = (error: unknown): ExitCode =>
  error instanceof UsageFailure || isRunError(error) ? exitCodes.usage : exitCodes.failed;
