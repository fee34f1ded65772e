import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { recordedCluster } from "../../common/localStack";
import { outputsSchema } from "../../common/stackOutputs";
import { kubectl, podsOf, pulumi, run } from "./support";

/** On the cluster and stack that the tests before have left. */
describe("npm run smoke", () => {
  const smoke = (...args: string[]) => run(["npm", "run", "--silent", "smoke", "--", ...args]);
  let stack: string;
  let group: { readonly namespace: string; readonly deployment: string };

  before(async () => {
    stack = recordedCluster()?.stack ?? "";
    const { exitCode, output } = await pulumi("stack", "output", "--json");
    assert.equal(exitCode, 0, output);
    const [first] = outputsSchema.parse(JSON.parse(output)).workers;
    assert.ok(first);
    group = first;
  });

  const deployment = (...args: string[]) =>
    kubectl(...args, `deployment/${group.deployment}`, "--namespace", group.namespace);
  const scale = (replicas: string) => deployment("scale", `--replicas=${replicas}`);

  /** Until no pod takes tasks any more: one that ends has stopped to poll. */
  async function withoutWorkers(): Promise<void> {
    for (let attempt = 0; attempt < 120; attempt += 1) {
      const pods = await podsOf(group.namespace);
      if (!pods.some(({ metadata }) => metadata.name.startsWith(`${group.deployment}-`))) return;
      await delay(500);
    }
    assert.fail("the workers are still there");
  }

  it("sees a harmless workflow through a deployed stack", async () => {
    const { exitCode, output } = await smoke("-s", stack);
    assert.equal(exitCode, 0, output);
    assert.match(output, /canary-[\w-]+ completed in [\d.]+ s/);
  });

  it("fails within its limit when nobody works on it, and names the cause", async () => {
    const replicas = await deployment("get", "--output=jsonpath={.spec.replicas}");
    await scale("0");
    try {
      await withoutWorkers();
      const started = Date.now();
      const { exitCode, output } = await smoke("-s", stack, "--timeout", "10");
      assert.equal(exitCode, 1, output);
      assert.match(output, /FAILED[^]*TimeoutFailure/);
      assert.ok(Date.now() - started < 90_000);
    } finally {
      await scale(replicas);
      await deployment("rollout", "status", "--timeout=180s");
    }
    const again = await smoke("-s", stack);
    assert.equal(again.exitCode, 0, again.output);
  });

  it("refuses a stack that is not deployed here", async () => {
    const { exitCode, output } = await smoke("-s", "elsewhere");
    assert.equal(exitCode, 78);
    assert.match(output, /there is no stack elsewhere|Pulumi CLI is not on PATH/);
  });
});
