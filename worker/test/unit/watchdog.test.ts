import assert from "node:assert/strict";
import { mock } from "node:test";
import { armWatchdog } from "../../src/watchdog";

describe("watchdog of a shutdown", () => {
  const { timers } = mock;
  let expired = 0;
  beforeEach(() => {
    timers.enable({ apis: ["setTimeout"] });
    expired = 0;
  });
  afterEach(() => timers.reset());
  const arm = (stop: AbortSignal) => armWatchdog(stop, 1000, () => (expired += 1));

  it("waits for the stop, and then for its deadline", () => {
    const stop = new AbortController();
    arm(stop.signal);
    timers.tick(5000);
    assert.equal(expired, 0);
    stop.abort();
    timers.tick(999);
    assert.equal(expired, 0);
    timers.tick(1);
    assert.equal(expired, 1);
  });

  it("counts from now on when the stop came before", () => {
    arm(AbortSignal.abort());
    timers.tick(1000);
    assert.equal(expired, 1);
  });

  it("does nothing once it is disarmed, before the stop or after it", () => {
    const stop = new AbortController();
    const disarm = arm(stop.signal);
    const late = new AbortController();
    arm(late.signal)();
    stop.abort();
    disarm();
    late.abort();
    timers.tick(5000);
    assert.equal(expired, 0);
  });
});
