import { ConfigurationError, EXIT_CONFIGURATION } from "../config";
import { causeChain } from "../errors";

/** Tells why a command ends, and gives its exit code. */
export function reportFailure(error: unknown): number {
  if (error instanceof ConfigurationError) {
    console.error(["Invalid configuration:", ...error.problems.map((problem) => `  ${problem}`)].join("\n"));
    return EXIT_CONFIGURATION;
  }
  console.error(causeChain(error).join("\n  "));
  return 1;
}
