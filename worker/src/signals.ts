/** Exit code of a process ended by SIGINT, by the shell's convention of 128 + signal. */
export const EXIT_INTERRUPTED = 130;

/**
 * Turns the first SIGTERM or SIGINT into an abort; the second one ends the process at once.
 *
 * Must run before anything slow: as PID 1 a process that has no handler ignores these signals, and the SDK's own
 * handlers act only once a worker runs.
 *
 * @param target where the signals arrive; default: this process
 * @param exit ends the process; default: `process.exit`
 */
export function shutdownOnSignal(
  target: Pick<NodeJS.Process, "on"> = process,
  exit: (code: number) => void = (code) => process.exit(code),
): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    target.on(signal, () => {
      if (controller.signal.aborted) exit(EXIT_INTERRUPTED);
      else controller.abort(new Error(`received ${signal}`));
    });
  }
  return controller.signal;
}
