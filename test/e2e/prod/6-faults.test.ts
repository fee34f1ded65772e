import assert from "node:assert/strict";
import { underLoad } from "../load";
import { allComplete, startOrders } from "../orders";
import { killPods, podsOf } from "../support";
import { eventually, NAMESPACES, postgresReady, primary, rolledOut } from "./support";

const SERVER_ROLES = ["frontend", "history", "matching", "worker"];

describe("stack prod loses nothing", () => {
  it("when the primary of Postgres is killed while 100 workflows run", async () => {
    const running = await startOrders(100, 40);
    const killed = await primary();
    const { accepted, longestGapMs } = await underLoad(async () => {
      await killPods("temporal", killed);
      await eventually("another instance is the primary", async () => (await primary()) !== killed);
    });
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
