import assert from "node:assert/strict";
import { failedOf, outcomeOf, renderVerdicts } from "../../common/smoke/outcome";

const group = (name: string) => ({ group: name, taskQueue: name });

describe("outcome of a smoke test", () => {
  it("is what the worker's client prints last", () => {
    const completed = outcomeOf(
      group("orders"),
      'a log line\n{"workflowId":"canary-1","status":"completed","durationMs":257,"result":{"buildId":"1"}}\n',
    );
    const failed = outcomeOf(
      group("mails"),
      '{"workflowId":"canary-2","status":"failed","durationMs":9,"failure":["CanaryFailed: sent 1","no"]}',
    );
    assert.ok(completed && failed);
    assert.deepEqual([completed.completed, failed.completed], [true, false]);
    assert.deepEqual(completed.result, { buildId: "1" });
    assert.deepEqual(failedOf([completed, failed]), [failed]);
    assert.equal(
      renderVerdicts([completed, failed]),
      "orders: canary-1 completed in 0.26 s\nmails: canary-2 FAILED\n  CanaryFailed: sent 1\n    no",
    );
  });

  it("says what an image needs that does not know the workflow", () => {
    const failed = outcomeOf(
      group("mails"),
      '{"workflowId":"canary-2","status":"failed","durationMs":9,"failure":["WorkflowFailedError: failed","TimeoutFailure: too long","TypeError: no such function"]}',
    );
    assert.ok(failed);
    assert.match(
      renderVerdicts([failed]),
      /no such function\n {2}→ an image without .*`canary` .*smoke\.workflow/,
    );
  });

  it("never counts a group without a workflow as verified", () => {
    const unknown = { group: "mails", notVerified: true } as const;
    assert.deepEqual(failedOf([unknown]), []);
    assert.match(renderVerdicts([unknown]), /^mails: NOT VERIFIED: .*smoke\.enabled/);
  });

  it("is none where there is no such line, or one of another kind", () => {
    for (const text of [
      "",
      "cannot connect",
      '{"workflowId":"canary-1","status":"started"}',
      '{"level":"info"}',
    ]) {
      assert.equal(outcomeOf(group("orders"), text), undefined, text);
    }
  });
});
