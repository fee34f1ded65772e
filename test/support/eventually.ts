import { setTimeout as delay } from "node:timers/promises";

/** Waits until something holds; a look that fails is one more that does not find it. */
export async function eventually(what: string, holds: () => Promise<boolean>, seconds = 150): Promise<void> {
  const giveUpAt = Date.now() + seconds * 1_000;
  let failure: unknown;
  while (Date.now() < giveUpAt) {
    try {
      if (await holds()) return;
    } catch (error) {
      failure = error;
    }
    await delay(1_000);
  }
  throw new Error(`not within ${seconds} s: ${what}`, { cause: failure });
}
