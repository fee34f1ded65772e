import assert from "node:assert/strict";
import { mock } from "node:test";
import type { Worker } from "@temporalio/worker";
import { createLogger } from "../../src/logger";
import { ForcedShutdown, runAll } from "../../src/run-workers";

/** The part of the SDK's worker that runs, drains and ends. */
class RunningWorker {
  state = "RUNNING";
  shutdowns = 0;
  private end: ((error?: Error) => void) | undefined;

  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.end = (error) => (error === undefined ? resolve() : reject(error));
    });
  }

  getState(): string {
    return this.state;
  }

  shutdown(): void {
    this.shutdowns += 1;
    this.state = "DRAINING";
  }

  stops(error?: Error): void {
    this.state = error === undefined ? "STOPPED" : "FAILED";
    this.end?.(error);
  }
}

describe("several workers in one process", () => {
  const logger = createLogger("error");
  const late = new Error("GracefulShutdownPeriodExpiredError");
  beforeEach(() => mock.timers.enable({ apis: ["Date"] }));
  afterEach(() => mock.timers.reset());

  const start = () => {
    const workers = [new RunningWorker(), new RunningWorker()] as const;
    const stop = new AbortController();
    return { workers, stop, done: runAll(workers as unknown as Worker[], 1000, stop.signal, logger) };
  };

  it("drain when they are told to stop, each once", async () => {
    const { workers, stop, done } = start();
    stop.abort();
    assert.deepEqual(
      workers.map(({ shutdowns }) => shutdowns),
      [1, 1],
    );
    for (const worker of workers) worker.stops();
    await done;
    assert.deepEqual(
      workers.map(({ shutdowns }) => shutdowns),
      [1, 1],
    );
  });

  it("take each other along when one fails, with its failure", async () => {
    const { workers, done } = start();
    workers[0].stops(late);
    await Promise.resolve().then(() => new Promise(setImmediate));
    assert.equal(workers[1].shutdowns, 1);
    workers[1].stops();
    await assert.rejects(done, (error) => error === late);
  });

  for (const [ms, forced] of [
    [949, false],
    [950, true],
  ] as const) {
    it(`were ${forced ? "" : "not "}forced when one fails ${ms} ms after the stop, with a drain of 1000 ms`, async () => {
      const { workers, stop, done } = start();
      stop.abort();
      mock.timers.tick(ms);
      workers[0].stops(late);
      workers[1].stops();
      await assert.rejects(done, (error) =>
        forced ? error instanceof ForcedShutdown && error.cause === late : error === late,
      );
    });
  }
});
