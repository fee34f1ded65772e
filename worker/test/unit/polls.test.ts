import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { diagnose } from "../../src/diagnosis";
import { Polls, PollsFail, scrapeOwnMetrics } from "../../src/polls";

interface Counted {
  readonly started: number;
  readonly ended?: number;
  readonly failures?: Readonly<Record<string, number>>;
}

/** The SDK's page, as far as it is about one kind of poll. */
function page(operation: string, taskQueue: string, { started, ended = 0, failures = {} }: Counted): string {
  const labels = (more = "") =>
    `{namespace="default",operation="${operation}",service_name="temporal-core-sdk"${more},task_queue="${taskQueue}"}`;
  return [
    ...Object.entries(failures).map(
      ([status, count]) =>
        `temporal_long_request_failure_total${labels(`,status_code="${status}"`)} ${count}`,
    ),
    `temporal_long_request_latency_seconds_bucket${labels()} ${ended}`,
    `temporal_long_request_latency_seconds_count${labels()} ${ended}`,
    `temporal_long_request_total${labels()} ${started}`,
    `temporal_request_total${labels()} 99`,
  ].join("\n");
}

describe("polls", () => {
  /** What the looks find, one after the other, at polls for workflow tasks; those for activities stay open. */
  const found = async (...counted: readonly Counted[]): Promise<(string | undefined)[]> => {
    const pages = counted.values();
    const polls = new Polls(["orders"], async () =>
      [
        page("PollActivityTaskQueue", "orders", { started: 5 }),
        page("PollWorkflowTaskQueue", "orders", pages.next().value ?? { started: 0 }),
      ].join("\n"),
    );
    const results: (string | undefined)[] = [];
    while (results.length < counted.length) {
      results.push(
        await polls.look().then(
          () => undefined,
          (failure: unknown) => String(failure),
        ),
      );
    }
    return results;
  };
  const failure = (status: string) =>
    `PollsFail: PollWorkflowTaskQueue of task queue orders fails with ${status}`;

  it("succeed while they are left open or end with an answer, tasks or none", async () => {
    assert.deepEqual(await found({ started: 10 }, { started: 12, ended: 2 }, { started: 12, ended: 2 }), [
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("fail when none of a kind succeeds, also in the pause before the next attempt", async () => {
    const failed = { started: 10, ended: 10, failures: { UNAVAILABLE: 10 } };
    assert.deepEqual(await found({ started: 10 }, failed, failed), [
      undefined,
      failure("UNAVAILABLE"),
      failure("UNAVAILABLE"),
    ]);
  });

  it("succeed again once one is answered, or left open", async () => {
    const failed = { started: 10, ended: 10, failures: { UNAUTHENTICATED: 10 } };
    const answered = { started: 11, ended: 11, failures: { UNAUTHENTICATED: 10 } };
    const open = { started: 11, ended: 10, failures: { UNAUTHENTICATED: 10 } };
    assert.deepEqual(await found(failed, answered), [failure("UNAUTHENTICATED"), undefined]);
    assert.deepEqual(await found(failed, open), [failure("UNAUTHENTICATED"), undefined]);
  });

  it("fail although one is under way when others failed meanwhile", async () => {
    const failing = (count: number) => ({ started: count + 1, ended: count, failures: { INTERNAL: count } });
    assert.deepEqual(await found(failing(3), failing(6)), [failure("INTERNAL"), failure("INTERNAL")]);
  });

  it("succeed when some do, and when they only ran out of time", async () => {
    assert.deepEqual(await found({ started: 10, ended: 10, failures: { UNAVAILABLE: 9 } }), [undefined]);
    const late = { started: 10, ended: 10, failures: { DEADLINE_EXCEEDED: 9, CANCELLED: 1 } };
    assert.deepEqual(await found(late), [undefined]);
  });

  it("are missed on a task queue that nobody has polled", async () => {
    const polls = new Polls(["orders"], async () => page("PollWorkflowTaskQueue", "orders", { started: 1 }));
    await assert.rejects(polls.look(), /task queue orders has not been polled yet \(PollActivityTaskQueue\)/);
  });

  it("are told apart by task queue, with what to do", async () => {
    const denied = { started: 1, ended: 1, failures: { PERMISSION_DENIED: 1 } };
    const polls = new Polls(["good", "bad"], async () =>
      ["PollWorkflowTaskQueue", "PollActivityTaskQueue"]
        .flatMap((operation) => [page(operation, "good", { started: 5 }), page(operation, "bad", denied)])
        .join("\n"),
    );
    const error: unknown = await polls.look().catch((failed: unknown) => failed);
    assert.ok(error instanceof PollsFail);
    const connection = {
      address: "temporal:7233",
      apiKey: undefined,
      tls: undefined,
      compression: "none",
    } as const;
    assert.deepEqual(diagnose(error, { connection, namespace: "shop" }), {
      kind: "permission",
      message:
        "polls of task queue bad fail: the server knows this client, but does not let it use namespace shop: grant that",
    });
  });

  it("are read from the address that metrics are published at, whichever that is", async () => {
    const server = createServer((request, response) => response.end(`of ${request.url}`));
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { port } = server.address() as AddressInfo;
    try {
      for (const host of ["127.0.0.1", "0.0.0.0"]) {
        assert.equal(await scrapeOwnMetrics(`${host}:${port}`), "of /metrics");
      }
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
