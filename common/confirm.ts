import { createInterface } from "node:readline/promises";
import { Failure } from "./failure";

/**
 * Asks whether to go on.
 *
 * @param signal aborted: no answer is awaited any more
 * @throws Failure when there is nobody to ask
 */
export async function confirm(question: string, signal?: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new Failure(
      "cannot ask for confirmation: stdin is not a terminal",
      "run it in a terminal, or add --yes",
    );
  }
  const dialogue = createInterface({ input: process.stdin, output: process.stdout });
  // The terminal is read key by key now, so Ctrl-C comes from here instead of as a signal.
  dialogue.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    const options = signal === undefined ? {} : { signal };
    return /^y(es)?$/i.test((await dialogue.question(`${question} (y/N) `, options)).trim());
  } finally {
    dialogue.close();
  }
}
