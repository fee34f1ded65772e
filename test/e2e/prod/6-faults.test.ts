import assert from "node:assert/strict";
import { failOver, killPods, postgresReady, rolledOut } from "../../support/faults";
import { SERVER_ROLES } from "../../../settings/temporal";
import { underLoad } from "../load";
import { allComplete, startOrders } from "../orders";
import { podsOf } from "../support";
import { NAMESPACES } from "./support";

describe("stack prod loses nothing", () => {
  it("when the primary of Postgres is killed while 100 workflows run", async () => {
    const running = await startOrders(100, 40);
    const { accepted, longestGapMs } = await underLoad(failOver);
    await allComplete([...running, ...accepted]);
    await postgresReady();
    console.log(`      no workflow could be started for at most ${(longestGapMs / 1_000).toFixed(1)} s`);
  });

  it("when the pods of each role are killed in turn while workflows run", async () => {
    const running = await startOrders(50, 60);
    const { accepted } = await underLoad(async () => {
      for (const role of SERVER_ROLES) {
        await killPods("temporal", `--selector=app.kubernetes.io/component=${role}`);
        await rolledOut("temporal", `temporal-${role}`);
      }
    });
    await allComplete([...running, ...accepted]);
  });

  it("when every pod is killed at once", async () => {
    const running = await startOrders(20, 30);
    await Promise.all(NAMESPACES.map((namespace) => killPods(namespace, "--all")));
    await postgresReady(240);
    for (const role of SERVER_ROLES) await rolledOut("temporal", `temporal-${role}`);
    await allComplete(running);
    assert.ok((await podsOf("temporal-workers")).length >= 3);
  });
});
