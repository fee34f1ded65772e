import assert from "node:assert/strict";
import { outcomeOf, renderOutcomes } from "../../ops/smoke/outcome";

describe("outcome of a smoke test", () => {
  it("is what the worker's client prints last", () => {
    const completed = outcomeOf(
      "orders",
      'a log line\n{"workflowId":"order-1","status":"completed","durationMs":257,"result":{"orderId":"order-1"}}\n',
    );
    const failed = outcomeOf(
      "mails",
      '{"workflowId":"order-2","status":"failed","failure":["Error: not ended within 5 s","no worker"]}',
    );
    assert.ok(completed && failed);
    assert.deepEqual([completed.completed, failed.completed], [true, false]);
    assert.equal(
      renderOutcomes([completed, failed]),
      "orders: order-1 completed in 0.26 s\nmails: order-2 FAILED\n  Error: not ended within 5 s\n    no worker",
    );
  });

  it("is none where there is no such line, or one of another kind", () => {
    for (const text of [
      "",
      "cannot connect",
      '{"workflowId":"order-1","status":"started"}',
      '{"level":"info"}',
    ]) {
      assert.equal(outcomeOf("orders", text), undefined, text);
    }
  });
});
