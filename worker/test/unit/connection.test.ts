import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { openWithin, retry } from "../../src/connection";

const never = new AbortController().signal;

describe("openWithin", () => {
  it("passes on what was opened, or why it could not be", async () => {
    const close = () => Promise.reject(new Error("must not be called"));
    assert.equal(await openWithin(() => Promise.resolve("open"), close, 1000, never), "open");
    await assert.rejects(
      openWithin(() => Promise.reject(new Error("refused")), close, 1000, never),
      /refused/,
    );
  });

  it("ends at its deadline and closes what opens too late", async () => {
    const closed: string[] = [];
    const open = () => delay(30).then(() => "late");
    await assert.rejects(
      openWithin(open, async (it) => void closed.push(it), 5, never),
      /no connection within 0.005 s/,
    );
    await delay(40);
    assert.deepEqual(closed, ["late"]);
  });

  it("ends at once when aborted", async () => {
    const stop = new AbortController();
    const opening = openWithin(
      () => delay(60_000, undefined, { ref: false }),
      () => Promise.resolve(),
      60_000,
      stop.signal,
    );
    const reason = new Error("received SIGTERM");
    stop.abort(reason);
    await assert.rejects(opening, (error) => error === reason);
  });
});

describe("retry", () => {
  const options = {
    giveUpMs: 5000,
    signal: never,
    initialDelayMs: 4,
    maximumDelayMs: 10,
    random: () => 0.999_999,
  };

  it("repeats with growing pauses up to the longest", async () => {
    const pauses: number[] = [];
    let attempts = 0;
    const attempt = async () => {
      attempts += 1;
      if (attempts < 5) throw new Error(`failure ${attempts}`);
      return attempts;
    };
    assert.equal(await retry(attempt, { ...options, onRetry: (_, ms) => pauses.push(ms) }), 5);
    assert.deepEqual(pauses, [4, 8, 10, 10]);
  });

  it("gives up in time, with the last error as the cause", async () => {
    await assert.rejects(
      retry(() => Promise.reject(new Error("refused")), {
        ...options,
        giveUpMs: 20,
        onRetry: () => undefined,
      }),
      (error) =>
        error instanceof Error &&
        /gave up after 0.02 s/.test(error.message) &&
        String(error.cause).includes("refused"),
    );
  });

  it("ends at once with an error that no repetition mends", async () => {
    const broken = new Error("does not load");
    await assert.rejects(
      retry(() => Promise.reject(broken), {
        ...options,
        isFinal: (error) => error === broken,
        onRetry: () => assert.fail("must not be repeated"),
      }),
      (error) => error === broken,
    );
  });

  it("ends at once when aborted during a pause", async () => {
    const stop = new AbortController();
    const reason = new Error("received SIGTERM");
    const retrying = retry(() => Promise.reject(new Error("refused")), {
      ...options,
      giveUpMs: 600_000,
      initialDelayMs: 60_000,
      signal: stop.signal,
      onRetry: () => setImmediate(() => stop.abort(reason)),
    });
    await assert.rejects(retrying, (error) => error === reason);
  });
});
