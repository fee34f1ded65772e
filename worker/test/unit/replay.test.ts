import assert from "node:assert/strict";
import { Worker } from "@temporalio/worker";
import type { InjectedSinks, WorkflowBundleWithSourceMap } from "@temporalio/worker";
import { failureConverterPath } from "../../src/codec/data-converter";
import { recordedHistories } from "../histories";
import { bundledWorkflows, quietRuntime } from "./bundle";
import { failureType, type Scheduled, scheduledNow, scheduledThen, withFailed } from "./recorded-options";
import type { OptionSinks } from "./sent-options";
import { recordedPayloads, WrittenPayloads } from "./written-payloads";

interface Failure {
  readonly type: string;
  readonly details: readonly unknown[];
}

describe("replay", () => {
  const histories = recordedHistories();
  let workflowBundle: WorkflowBundleWithSourceMap;
  let outcomes: Map<string, Error | undefined>;
  const payloads = new WrittenPayloads();
  const written = new Map<string, string[]>();
  const scheduled = new Map<string, Scheduled[]>();
  let scheduling: Scheduled[] = [];
  const failures = new Map<string, Failure | undefined>();
  let failure: Failure | undefined;
  const sinks: InjectedSinks<OptionSinks> = {
    options: {
      scheduled: {
        fn: (_, activityType, options) => void scheduling.push(scheduledNow(activityType, options)),
        callDuringReplay: true,
      },
      failed: {
        fn: (_, type, details) => void (failure = { type, details: structuredClone(details) }),
        callDuringReplay: true,
      },
    },
  };

  /** What became of each history, by its name. */
  const replay = async (
    code: WorkflowBundleWithSourceMap,
    recorded: typeof histories,
  ): Promise<Map<string, Error | undefined>> => {
    const results = Worker.runReplayHistories(
      { workflowBundle: code, dataConverter: { failureConverterPath, payloadCodecs: [payloads] }, sinks },
      recorded,
    );
    const errors: (Error | undefined)[] = [];
    for await (const { error } of results) {
      const name = recorded[errors.length]?.name ?? "";
      written.set(name, payloads.take());
      scheduled.set(name, scheduling);
      scheduling = [];
      failures.set(name, failure);
      failure = undefined;
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

  it("schedules every activity with the timeouts and retries that were recorded", () => {
    const distinct = (all: readonly Scheduled[]): string[] =>
      [...new Set(all.map((one) => JSON.stringify(one)))].sort();
    const now = distinct([...scheduled.values()].flat());
    assert.deepEqual(now, distinct(histories.flatMap(scheduledThen)));
    assert.ok(now.length > 5);
  });

  it("fails with the types that were recorded", () => {
    const now = histories.map(({ name }) => [name, failures.get(name)?.type]);
    assert.deepEqual(
      now,
      histories.map((recorded) => [recorded.name, failureType(recorded)]),
    );
  });

  it("names the steps that a person has to compensate, and goes on with the others", async () => {
    const declined = histories.filter(({ name }) => name === "order-card-declined");
    await replay(
      workflowBundle,
      declined.map((recorded) => withFailed(recorded, "refund")),
    );
    assert.deepEqual(failures.get("order-card-declined"), {
      type: "CompensationFailed",
      details: [{ steps: ["charge"] }],
    });
    assert.deepEqual(
      scheduled.get("order-card-declined")?.map(({ activity }) => activity),
      ["reserve", "charge", "refund", "release"],
    );
  });

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
