import { describeFailure } from "../common/failure";

const INTERRUPTED = 130;

/** Runs a command's work: failures are told, not thrown, and an interruption says how to go on. */
export function runCommand(work: () => Promise<void>): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      console.error("\ninterrupted; run the command again: it carries on from here");
      process.exit(INTERRUPTED);
    });
  }
  work().catch((error: unknown) => {
    console.error(`\n${describeFailure(error)}`);
    process.exitCode = 1;
  });
}
