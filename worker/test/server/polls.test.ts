import assert from "node:assert/strict";
import { status } from "@grpc/grpc-js";
import { FakeFrontend, POLLS } from "../support/fake-frontend";
import { eventually, WorkerProcess } from "../support/process";

/** Longer than a good answer counts, and the pause between two probes. */
const LOST_WITHIN_MS = 60_000;

async function losesAndRegains(code: status): Promise<void> {
  const frontend = await FakeFrontend.start();
  const worker = await WorkerProcess.start({
    TEMPORAL_ADDRESS: frontend.address,
    TEMPORAL_NAMESPACE: "default",
    TEMPORAL_TASK_QUEUES: "orders",
  });
  const becomes = (expected: number): Promise<unknown> =>
    eventually(
      `/readyz ${expected}`,
      async () => ((await worker.status("/readyz")) === expected ? true : undefined),
      LOST_WITHIN_MS,
    );
  const lines = (pattern: RegExp): unknown[] => worker.log().filter(({ msg }) => pattern.test(String(msg)));
  // The probe may know before the line is written.
  const says = (pattern: RegExp): Promise<unknown> =>
    eventually(
      `log ${String(pattern)}`,
      () => Promise.resolve(lines(pattern).length > 0 ? true : undefined),
      LOST_WITHIN_MS,
    );
  try {
    await becomes(200);
    frontend.fail(POLLS, code);
    await becomes(503);
    assert.equal(await worker.status("/livez"), 200);
    await says(/cannot work/);
    assert.equal(lines(/cannot work: polls of task queue orders fail: /).length, 1);
    frontend.mend();
    await becomes(200);
    await says(/Temporal can be used again/);
    assert.equal(lines(/cannot work/).length, 1);
    assert.equal(lines(/Temporal can be used again/).length, 1);
    assert.equal(await worker.stop(), 0, worker.process.output);
  } finally {
    await worker.process.end("SIGKILL");
    frontend.stop();
  }
}

describe("worker whose polls fail after a while", () => {
  // Side by side: each waits for most of a minute.
  it("turns unready and ready again after it, says each once, and goes on", () =>
    Promise.all([status.UNAVAILABLE, status.UNAUTHENTICATED].map(losesAndRegains)));
});
