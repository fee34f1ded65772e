import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { unlessRefused } from "../../components/guards/verdict";
import { uncollectedRejections } from "../harness";

describe("what depends on a guard", () => {
  it("gets what the guard found", async () => {
    assert.equal(await unlessRefused(Promise.resolve("allowed")), "allowed");
  });

  it("is never told of a refusal, which is reported for all of it", async () => {
    const refused = new Error("refused");
    const told: string[] = [];
    const dependent = unlessRefused(Promise.reject(refused));
    for (let count = 0; count < 3; count++) {
      void dependent.then(
        () => told.push("allowed"),
        () => told.push("refused"),
      );
    }
    await setImmediate();
    assert.deepEqual([...new Set(uncollectedRejections())], [refused]);
    assert.deepEqual(told, []);
  });
});
