import assert from "node:assert/strict";
import { Worker } from "@temporalio/worker";
import type { WorkflowBundleWithSourceMap } from "@temporalio/worker";
import { failureConverterPath } from "../../src/codec/data-converter";
import { recordedHistories } from "../histories";
import { bundledWorkflows, quietRuntime } from "./bundle";
import { recordedPayloads, WrittenPayloads } from "./written-payloads";

describe("replay", () => {
  const histories = recordedHistories();
  let workflowBundle: WorkflowBundleWithSourceMap;
  let outcomes: Map<string, Error | undefined>;
  const payloads = new WrittenPayloads();
  const written = new Map<string, string[]>();

  /** What became of each history, by its name. */
  const replay = async (
    code: WorkflowBundleWithSourceMap,
    recorded: typeof histories,
  ): Promise<Map<string, Error | undefined>> => {
    const results = Worker.runReplayHistories(
      { workflowBundle: code, dataConverter: { failureConverterPath, payloadCodecs: [payloads] } },
      recorded,
    );
    const errors: (Error | undefined)[] = [];
    for await (const { error } of results) {
      written.set(recorded[errors.length]?.name ?? "", payloads.take());
      errors.push(error);
    }
    return new Map(recorded.map(({ name }, index) => [name, errors[index]]));
  };

  before(async function () {
    this.timeout(20_000);
    quietRuntime();
    workflowBundle = await bundledWorkflows();
    outcomes = await replay(workflowBundle, histories);
    assert.equal(outcomes.size, histories.length);
  });

  it("needs a bundle without anything that is not deterministic", () => {
    assert.match(workflowBundle.code, /orderProblems/);
    assert.doesNotMatch(workflowBundle.code, /sample-gateways\.ts|RequestLog/);
  });

  for (const recorded of histories) {
    it(`accepts ${recorded.name}, of which it writes each payload as it was recorded`, () => {
      const error = outcomes.get(recorded.name);
      if (error !== undefined) throw error;
      assert.deepEqual(written.get(recorded.name), recordedPayloads(recorded));
    });
  }

  it("refuses a change that breaks running workflows, and accepts one behind patched()", async function () {
    this.timeout(20_000);
    const names = ["order-completed", "order-completed-shipment"];
    const changed = await replay(
      await bundledWorkflows(require.resolve("../fixtures/changed-workflows")),
      histories.filter(({ name }) => names.includes(name)),
    );
    assert.match(String(changed.get("order-completed")), /TMPRL1100/);
    assert.ok(changed.has("order-completed-shipment"));
    assert.equal(changed.get("order-completed-shipment"), undefined);
  });
});
