import { describeFailure } from "./failure";

const INTERRUPTED = 130;

/**
 * Runs a command that must not be torn apart: on Ctrl-C or SIGTERM the program that it runs ends in its own time,
 * and the command stops before its next step. A second signal ends it at once.
 *
 * @param work gets a signal that is aborted by then; failures are told, not thrown
 * @param hint what to do after an interruption
 */
export function runInterruptible(work: (signal: AbortSignal) => Promise<void>, hint: string): void {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(INTERRUPTED);
      stop.abort();
    });
  }
  work(stop.signal).then(
    () => {
      if (stop.signal.aborted) process.exitCode = INTERRUPTED;
    },
    (error: unknown) => {
      console.error(stop.signal.aborted ? `\ninterrupted; ${hint}` : `\n${describeFailure(error)}`);
      process.exitCode = stop.signal.aborted ? INTERRUPTED : 1;
    },
  );
}
