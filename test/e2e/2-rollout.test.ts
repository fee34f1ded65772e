import assert from "node:assert/strict";
import { changeWorker, order, podsOf, pulumi, restoreStackFile } from "./support";

const RUNNING_ORDERS = 50;
/** Longer than the rollout takes, so that every order is open while its worker is replaced. */
const DELAY_SECONDS = 45;

describe("a changed setting", () => {
  after("the stack file is as it was", async () => {
    restoreStackFile();
    assert.equal((await pulumi("up", "--yes", "--skip-preview")).exitCode, 0);
  });

  it("rolls the workers while orders run, and loses none", async () => {
    const before = await podsOf("temporal-workers");
    const started = await order(
      "--count",
      String(RUNNING_ORDERS),
      "--delay",
      String(DELAY_SECONDS),
      "--start-only",
    );
    assert.equal(started.orders.length, RUNNING_ORDERS);

    changeWorker({ logLevel: "debug" });
    const { exitCode, output } = await pulumi("up", "--yes", "--skip-preview");
    assert.equal(exitCode, 0, output);

    const after = await podsOf("temporal-workers");
    const names = new Set(before.map(({ metadata }) => metadata.name));
    assert.ok(
      after.length > 0 && after.every(({ metadata }) => !names.has(metadata.name)),
      "pods were not replaced",
    );
    const { orders } = await order("--await", ...started.orders.map(({ workflowId }) => workflowId));
    assert.deepEqual(
      orders.map(({ status }) => status),
      Array.from({ length: RUNNING_ORDERS }, () => "completed"),
    );
  });
});
