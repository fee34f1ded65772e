import assert from "node:assert/strict";
import pMap from "p-map";
import { eventually } from "../support/eventually";
import { activityAttempts } from "./histories";
import { killPods } from "../support/faults";
import { underLoad } from "./load";
import { allComplete, holdOrders, release, startOrders } from "./orders";
import { changeWorker, kubectl, podsOf, pulumi, restoreStackFile } from "./support";

const RUNNING_ORDERS = 200;
/**
 * A task with which the server answers a poll just as the worker gives that up is lost until its time-out, whatever the
 * drain does for the tasks that it has.
 */
const LOST_IN_POLLS = 1;
/** Clients of the server at once: two cores carry no more beside it. */
const READERS = 4;

const rolledOut = (namespace: string): Promise<string> =>
  kubectl(
    ...["rollout", "status", "deployment", "--selector", "app.kubernetes.io/part-of=temporal-stack"],
    ...["--namespace", namespace, "--timeout=120s"],
  );

describe("a changed setting", () => {
  after("the stack file is as it was", async () => {
    restoreStackFile();
    assert.equal((await pulumi("up", "--yes", "--skip-preview")).exitCode, 0);
  });

  it("rolls the workers under load: no order is lost, and activities that run are drained", async () => {
    const before = await podsOf("temporal-workers");
    const running = await holdOrders(RUNNING_ORDERS);
    const { accepted, refused } = await underLoad(async () => {
      changeWorker({ logLevel: "debug" });
      const { exitCode, output } = await pulumi("up", "--yes", "--skip-preview");
      assert.equal(exitCode, 0, output);
    });
    assert.equal(refused, 0);

    const after = await podsOf("temporal-workers");
    const names = new Set(before.map(({ metadata }) => metadata.name));
    assert.ok(
      after.length > 0 && after.every(({ metadata }) => !names.has(metadata.name)),
      "pods were not replaced",
    );
    await release(running);
    const orders = [...running, ...accepted];
    await allComplete(orders);
    const attempts = (await pMap(orders, activityAttempts, { concurrency: READERS })).flat();
    const again = attempts.filter(({ attempt }) => attempt !== 1);
    for (const { workflowId, attempt, failure = "" } of again)
      console.log(`      ${workflowId}: attempt ${attempt} of an activity, after: ${failure}`);
    assert.ok(again.length <= LOST_IN_POLLS, `${again.length} activities were tried again`);
    assert.ok(attempts.length >= 2 * orders.length);
  });
});

describe("the file of stack local's server", () => {
  const second = "second-server";

  after("the second pod is gone", () => killPods("temporal", second, "--ignore-not-found"));

  it("is there for one pod alone, also where no scheduler sees the first any more", async () => {
    const [server] = await podsOf("temporal");
    assert.ok(server);
    const metadata = { name: second };
    await kubectl(
      ...["run", second, "--namespace", "temporal", "--image=unused", "--restart=Never"],
      `--overrides=${JSON.stringify({ apiVersion: "v1", metadata, spec: server.spec })}`,
    );
    const events = ["get", "events", "--namespace", "temporal"];
    await eventually("the kubelet refuses the volume", async () =>
      (await kubectl(...events, `--field-selector=involvedObject.name=${second}`)).includes(
        "ReadWriteOncePod access mode and is already in use by another pod",
      ),
    );
  });
});

describe("stack local loses nothing", () => {
  for (const [what, namespace] of [
    ["worker pods are", "temporal-workers"],
    ["server is", "temporal"],
  ] as const) {
    it(`when its ${what} killed while orders run`, async () => {
      const running = await startOrders(50, 20);
      const { accepted } = await underLoad(async () => {
        await killPods(namespace, "--all");
        await rolledOut(namespace);
      });
      await allComplete([...running, ...accepted]);
    });
  }
});
