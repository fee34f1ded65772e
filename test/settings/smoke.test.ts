import assert from "node:assert/strict";
import { parseSettings } from "../../settings/settings";
import { type SmokeWorkflow, smokeWorkflowOf } from "../../settings/smoke";
import { LEAST, refusal, source } from "../components/refusal";

const group = (name: string, more: object = {}) => ({ name, taskQueues: [name, `${name}-bulk`], ...more });

function workflows(smoke: object, ...workers: object[]): (SmokeWorkflow | undefined)[] {
  const settings = parseSettings(source({ ...LEAST, smoke, workers }));
  return settings.workers.map((worker) => smokeWorkflowOf(settings.smoke, worker));
}

const CANARY = { workflow: "canary", input: "null", taskQueue: "orders", timeoutSeconds: 120 };

describe("workflow of a smoke test", () => {
  it("is the sample's canary by default, with an argument to decrypt, on each group's first task queue", () => {
    assert.deepEqual(workflows({}, group("orders"), group("mails")), [
      CANARY,
      { ...CANARY, taskQueue: "mails" },
    ]);
    assert.deepEqual(workflows({ input: { text: "hi" } }, group("orders")), [
      { ...CANARY, input: '{"text":"hi"}' },
    ]);
  });

  it("is the one that the settings name, with their argument or none", () => {
    const named = { workflow: "ping", taskQueue: "orders-bulk", timeoutSeconds: 30 };
    assert.deepEqual(workflows(named, group("orders")), [named]);
    assert.deepEqual(workflows({ ...named, input: null }, group("orders")), [{ ...named, input: "null" }]);
  });

  it("is another one for a group that says so, without the argument of the first", () => {
    const common = { workflow: "ping", input: [1], timeoutSeconds: 30 };
    const own = [{ workflow: "pong" }, { input: [2] }, { enabled: false }, {}];
    assert.deepEqual(workflows(common, ...own.map((smoke, index) => group(`g${String(index)}`, { smoke }))), [
      { workflow: "pong", taskQueue: "g0", timeoutSeconds: 30 },
      { workflow: "ping", input: "[2]", taskQueue: "g1", timeoutSeconds: 30 },
      undefined,
      { workflow: "ping", input: "[1]", taskQueue: "g3", timeoutSeconds: 30 },
    ]);
  });

  it("is none for a group of another image, until the settings name one", () => {
    const images = { mails: { repository: "a/mails", digest: `sha256:${"1".repeat(64)}` } };
    const ofMails = (smoke: object) => {
      const workers = [group("orders"), group("mails", { image: "mails", ...smoke })];
      const settings = parseSettings(source({ ...LEAST, images, workers }));
      return settings.workers.map((worker) => smokeWorkflowOf(settings.smoke, worker)?.workflow);
    };
    assert.deepEqual(ofMails({}), ["canary", undefined]);
    assert.deepEqual(ofMails({ smoke: { workflow: "ping" } }), ["canary", "ping"]);
  });

  it("is none where the settings want none, and for groups that do not poll the task queue they name", () => {
    assert.deepEqual(
      workflows({ enabled: false }, group("orders", { smoke: { enabled: true } }), group("mails")),
      [CANARY, undefined],
    );
    assert.deepEqual(workflows({ taskQueue: "orders" }, group("orders"), group("mails")), [
      CANARY,
      undefined,
    ]);
  });

  const refused: readonly (readonly [what: string, sections: object, message: RegExp])[] = [
    [
      "a task queue that nobody polls",
      { smoke: { taskQueue: "payments" } },
      /temporal-stack:smoke\.taskQueue .*"payments" is polled by no such worker group/,
    ],
    [
      "a task queue of another group",
      { workers: [group("orders"), group("mails", { smoke: { taskQueue: "orders" } })] },
      /workers\[1\]\.smoke\.taskQueue .*"orders" is polled by no such worker group/,
    ],
    [
      "a workflow of the server's own",
      { smoke: { workflow: "temporal-sys-scheduler-workflow" } },
      /smoke\.workflow/,
    ],
    ["a workflow without a name", { smoke: { workflow: "" } }, /smoke\.workflow/],
    ["a whole order as an argument too many", { smoke: { input: "a".repeat(64 * 1024) } }, /at most 64 KiB/],
    ["a wait of no time", { smoke: { timeoutSeconds: 0 } }, /smoke\.timeoutSeconds/],
  ];
  for (const [what, sections, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.match(refusal({ ...LEAST, ...sections }), message);
    });
  }
});
