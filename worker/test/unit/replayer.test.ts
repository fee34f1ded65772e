import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { historyFromJSON } from "@temporalio/common/lib/proto-utils";
import type { temporal } from "@temporalio/proto";
import { EncryptionCodec } from "../../src/codec/encryption-codec";
import type { Keyring } from "../../src/codec/keyring";
import { mapAhead, openWorkflowsFilter, sampler } from "../../src/replay/open-workflows";
import type { History } from "../../src/replay/open-workflows";
import { Replayer } from "../../src/replay/replayer";
import { exitCode } from "../../src/replay/report";
import type { OpenWorkflow, ReplayReport } from "../../src/replay/report";
import { bundledWorkflows, quietRuntime } from "./bundle";

const WORKFLOW_ID = "order-completed-after-delay";
const keyring: Keyring = { activeKeyId: "k1", keys: new Map([["k1", randomBytes(32)]]) };

/** The recorded order up to an event, with texts replaced. */
function recorded(lastEvent = Infinity, from = "", to = ""): History {
  const path = join(__dirname, "..", "histories", `${WORKFLOW_ID}.json`);
  const { history } = JSON.parse(readFileSync(path, "utf8").replaceAll(from || "\0", to)) as {
    history: unknown;
  };
  const { events } = historyFromJSON(history);
  return { events: (events ?? []).slice(0, lastEvent) };
}

describe("replayer", () => {
  let replayer: Replayer;

  before(async function () {
    this.timeout(20_000);
    quietRuntime();
    replayer = new Replayer(await bundledWorkflows(), keyring);
  });

  after(() => replayer.close());

  // Every event may be the last one of an open workflow; the first ones come before any task.
  for (let last = 1; last <= 30; last += 1) {
    it(`replays a workflow that has come to event ${last}`, async () => {
      assert.deepEqual(await replayer.replay(WORKFLOW_ID, recorded(last)), { outcome: "compatible" });
    });
  }

  for (const last of [13, 14, 19, 30]) {
    it(`names the event that differs, of ${last}`, async () => {
      const verdict = await replayer.replay(WORKFLOW_ID, recorded(last, '"charge"', '"invoice"'));
      assert.equal(verdict.outcome, "incompatible");
      assert.equal(verdict.breakage.kind, "nondeterminism");
      assert.deepEqual(verdict.breakage.event, { id: 13, type: "ActivityTaskScheduled" });
      assert.match(verdict.breakage.message, /^\[TMPRL1100\].*'invoice'.*'charge'$/);
    });
  }

  for (const last of [1, 2, 3, 5, 30]) {
    it(`names a type that the bundle lacks, of ${last}`, async () => {
      const history = recorded(last, '"name": "order"', '"name": "refund"');
      const verdict = await replayer.replay(WORKFLOW_ID, history);
      assert.equal(verdict.outcome, "incompatible");
      assert.equal(verdict.breakage.kind, "unknownType");
      assert.match(verdict.breakage.message, /type 'refund'/);
    });
  }

  it("says how the candidate's code fails on what was recorded", async () => {
    const history = recorded();
    const reserved = history.events?.find((event) => event.activityTaskCompletedEventAttributes);
    const { result } = reserved?.activityTaskCompletedEventAttributes ?? {};
    assert.ok(result?.payloads);
    result.payloads = [{ metadata: { encoding: Buffer.from("binary/null") } }];
    const verdict = await replayer.replay(WORKFLOW_ID, history);
    assert.equal(verdict.outcome, "incompatible");
    assert.equal(verdict.breakage.kind, "taskFailure");
    assert.deepEqual(verdict.breakage.event, { id: 12, type: "WorkflowTaskCompleted" });
    assert.doesNotMatch(verdict.breakage.message, /Encoded failure/);
  });

  const encrypted = async (keys: Keyring): Promise<History> => {
    const history = recorded(19);
    const started = history.events?.[0]?.workflowExecutionStartedEventAttributes;
    const payloads = (started?.input?.payloads ?? []) as temporal.api.common.v1.Payload[];
    assert.ok(started?.input && payloads.length > 0);
    started.input.payloads = await new EncryptionCodec(keys).encode(payloads);
    return history;
  };

  it("decrypts", async () => {
    const history = await encrypted(keyring);
    assert.deepEqual(await replayer.replay(WORKFLOW_ID, history), { outcome: "compatible" });
  });

  it("cannot check what a key is missing for, and names the key", async () => {
    const history = await encrypted({ activeKeyId: "k2", keys: new Map([["k2", randomBytes(32)]]) });
    const verdict = await replayer.replay(WORKFLOW_ID, history);
    assert.equal(verdict.outcome, "unchecked");
    assert.match(verdict.reason, /unknown encryption key id "k2"/);
  });
});

describe("open workflows", () => {
  it("are asked for by quoted task queue, with the query in brackets", () => {
    assert.equal(
      openWorkflowsFilter(["a", 'b"\\'], 'WorkflowType = "x" OR WorkflowType = "y"'),
      'ExecutionStatus = "Running" AND TaskQueue IN ("a", "b\\"\\\\") AND (WorkflowType = "x" OR WorkflowType = "y")',
    );
  });

  const sampled = (size: number, types: readonly string[]): number[] => {
    const isChosen = sampler(size, types.length);
    return types.flatMap((type, index) => (isChosen({ type } as OpenWorkflow) ? [index] : []));
  };

  it("are sampled evenly, with one of each type at least", () => {
    const same = Array.from({ length: 100 }, () => "order");
    assert.deepEqual(sampled(4, same), [0, 25, 50, 75]);
    assert.deepEqual(sampled(4, same.with(60, "refund")), [0, 25, 50, 60, 75]);
    assert.deepEqual(sampled(500, same).length, 100);
  });

  it("are fetched in order, a bounded number at a time", async () => {
    let [under, most] = [0, 0];
    async function* numbers() {
      for (let n = 0; n < 20; n += 1) yield n;
    }
    const results: number[] = [];
    const mapped = mapAhead(numbers(), 3, async (n) => {
      most = Math.max(most, (under += 1));
      await new Promise(setImmediate);
      under -= 1;
      return n;
    });
    for await (const n of mapped) results.push(n);
    assert.deepEqual(
      results,
      Array.from({ length: 20 }, (_, n) => n),
    );
    assert.equal(most, 3);
  });
});

describe("replay report", () => {
  const workflow = { workflowId: "w", runId: "r", type: "order" };
  const broken: ReplayReport["incompatible"][number] = {
    ...workflow,
    ...{ kind: "nondeterminism", event: { id: 5, type: "TimerStarted" }, message: "" },
  };
  const report = (found: Partial<ReplayReport>): ReplayReport => ({
    ...{ sdkVersion: "", namespace: "", taskQueues: [], open: 0, notSampled: 0, gone: 0, compatible: 0 },
    ...{ incompatible: [], unchecked: [], ...found },
  });

  it("gives the exit code that deployments go by", () => {
    const unchecked = [{ ...workflow, reason: "key" }];
    assert.equal(exitCode(report({})), 0);
    assert.equal(exitCode(report({ notSampled: 5, gone: 1, compatible: 1 })), 0);
    assert.equal(exitCode(report({ unchecked })), 1);
    assert.equal(exitCode(report({ unchecked, incompatible: [broken] })), 3);
  });
});
