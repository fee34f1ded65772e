import { createInterface } from "node:readline/promises";
import { Failure } from "../common/failure";

/**
 * Asks whether to go on.
 *
 * @throws Failure when there is nobody to ask
 */
export async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new Failure("nobody is there to confirm", "run it in a terminal, or add --yes");
  }
  const dialogue = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await dialogue.question(`${question} (y/N) `)).trim());
  } finally {
    dialogue.close();
  }
}
