import { performance } from "node:perf_hooks";
import { Failure, lastLines } from "../common/failure";
import type { OfflineEngine } from "../test/support/offlineEngine";

/**
 * Previews a stack from nothing, without its cluster.
 *
 * @param change of the text of its file
 * @param more arguments of the CLI
 * @returns seconds that it took
 * @throws Failure with its last lines when it does not succeed: there is no figure for that
 */
export async function offlinePreview(
  engine: OfflineEngine,
  stack: string,
  change: (text: string) => string,
  more: readonly string[] = [],
): Promise<number> {
  const started = performance.now();
  const { failed, output } = await engine.run(stack, change, ["preview", ...more]);
  const seconds = (performance.now() - started) / 1_000;
  if (failed) {
    throw new Failure(
      `the preview of stack ${stack} failed`,
      "the lines above name the cause; a policy's refusal has no time",
      lastLines(output),
    );
  }
  return seconds;
}
