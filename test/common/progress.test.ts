import assert from "node:assert/strict";
import { elapsedOf } from "../../common/progress";

describe("the time of a step", () => {
  it("is told against its estimate, and an estimate that was exceeded is said to be", () => {
    assert.equal(elapsedOf(30_000, 90_000), "30 s of about 1 min 30 s");
    assert.equal(elapsedOf(540_000, 90_000), "9 min 0 s, longer than the usual 1 min 30 s");
  });
});
