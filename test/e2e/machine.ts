import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { type Footprint, footprint } from "./footprint";

/** What the machine's own init may take to reap processes that have ended. */
const REAPED_MS = 10_000;

let before: Footprint | undefined;

/** What the machine looked like before the first test, for the last one to compare with. */
export const footprintBefore = {
  take: (): void => {
    before = footprint();
  },
  get: (): Footprint => {
    if (before === undefined) throw new Error("the first test file has to run before this one");
    return before;
  },
  /** Fails when the machine does not look the same again. */
  assertRestored: async (): Promise<void> => {
    const giveUpAt = Date.now() + REAPED_MS;
    while (!isDeepStrictEqual(footprint(), footprintBefore.get()) && Date.now() < giveUpAt) await delay(200);
    assert.deepEqual(footprint(), footprintBefore.get());
  },
};
