import assert from "node:assert/strict";
import { parse } from "yaml";
import { type Archive, archiveOf, type BaseBackup } from "../../ops/restore/archive";
import { describeArchive, describeStep } from "../../ops/restore/describe";
import { type FileGenerations, nextStep, type RestoreFacts, type Wish } from "../../ops/restore/plan";
import { answersIn, verificationJob, verificationProblems } from "../../ops/restore/verification";
import { withSettings } from "../../ops/stack/stackFileEdit";
import { openApiProblems } from "../../settings/openapi/validate";
import { chartSettings } from "../components/samples";
import type { Values } from "../harness";

const S3 = { type: "s3", bucket: "backups", credentials: { workloadIdentity: {} } };
const NOW = new Date("2026-11-28T12:00:00Z");
const to = (time: string): Wish => ({
  kind: "restore",
  point: { kind: "time", time: new Date(time) },
});
const LATEST: Wish = { kind: "restore", point: { kind: "latest" } };
const ofBackup = (name: string): Wish => ({ kind: "restore", point: { kind: "backup", name } });
const CARRY_ON: Wish = { kind: "carryOn" };
const BACK: Wish = { kind: "back" };
const RELEASE: Wish = { kind: "release" };

const backup = (day: string, changes: Partial<BaseBackup> = {}): BaseBackup => ({
  name: `temporal-pg-202611${day}020000`,
  id: `202611${day}T020000`,
  state: "completed",
  endedAt: new Date(`2026-11-${day}T02:01:00Z`),
  error: undefined,
  ...changes,
});
const FAILED = backup("28", {
  id: undefined,
  state: "failed",
  endedAt: undefined,
  error: "checksum mismatch",
});
const ARCHIVE: Archive = {
  clusterName: "temporal-pg",
  exists: true,
  backups: [backup("27"), backup("26"), FAILED],
  first: new Date("2026-11-26T02:01:00Z"),
  last: new Date("2026-11-28T11:54:30Z"),
  archiving: { state: "works" },
};

const settingsOf = (changes: Values = {}) => chartSettings({}, { backup: { store: S3 }, ...changes });
const fileOf = (changes: Values = {}): FileGenerations => settingsOf(changes).cluster;
const facts = (changes: Partial<RestoreFacts> = {}): RestoreFacts => ({
  file: fileOf(),
  deployed: { generation: 1, serving: 1 },
  archive: ARCHIVE,
  newest: "ready",
  stopped: [],
  now: NOW,
  ...changes,
});

/** The settings after a step, as `postgres` of the stack file would have them. */
function written(file: Values, step: ReturnType<typeof nextStep>): Values {
  const text = withSettings("config:\n  temporal-stack:postgres: {}\n", [
    ...Object.entries(file).map(([key, value]) => ({ path: ["postgres", key] as const, new: value })),
    ...(step?.changes ?? []),
  ]);
  const { config } = parse(text) as { config: Record<string, Values> };
  return config["temporal-stack:postgres"] ?? {};
}

const RESTORE = { fromGeneration: 1, targetTime: "2026-11-28T10:15:00.000Z" };
const BESIDE = { generation: 2, restore: RESTORE, serving: 1 };
const SWITCHED = { generation: 2, restore: RESTORE, serving: 2 };

describe("plan of a restore", () => {
  it("goes from one point in time to the restored database, one reviewable change after the other", () => {
    const begun = nextStep(to("2026-11-28T10:15:00Z"), facts({ newest: "ready" }));
    assert.equal(begun?.name, "beside");
    assert.equal(begun.stops, false);
    assert.deepEqual(written({}, begun), BESIDE);
    const deploy = nextStep(CARRY_ON, facts({ file: fileOf(BESIDE), newest: "absent" }));
    assert.deepEqual([deploy?.name, deploy?.stops, deploy?.deploys], ["deploy", false, true]);

    const deployed = { generation: 2, serving: 1 };
    const step = nextStep(CARRY_ON, facts({ file: fileOf(BESIDE), deployed }));
    assert.deepEqual([step?.name, step?.verifies, step?.stops], ["switch", 2, true]);
    assert.deepEqual(written(BESIDE, step), SWITCHED);
    // Killed after the file was written: workers may be up again, and must go before the deployment.
    const again = nextStep(CARRY_ON, facts({ file: fileOf(SWITCHED), deployed, stopped: ["temporal/a"] }));
    assert.deepEqual([again?.name, again?.stops], ["deploy", true]);

    const done = { file: fileOf(SWITCHED), deployed: { generation: 2, serving: 2 } };
    assert.equal(nextStep(CARRY_ON, facts({ ...done, stopped: ["temporal/a"] }))?.name, "start");
    assert.equal(nextStep(CARRY_ON, facts(done)), undefined);
    const release = nextStep(RELEASE, facts(done));
    assert.deepEqual(written(SWITCHED, release), { ...SWITCHED, restore: { ...RESTORE, keepFormer: false } });
    const third = nextStep(to("2026-11-28T10:15:00Z"), facts(done));
    assert.deepEqual(written(SWITCHED, third), {
      generation: 3,
      restore: { ...RESTORE, fromGeneration: 2 },
      serving: 2,
    });
    assert.match(third?.notes.join("\n") ?? "", /generation 1 is released/);
  });

  it("goes back as long as the former generation is kept, and starts what a killed call left stopped", () => {
    const file = fileOf(SWITCHED);
    const step = nextStep(BACK, facts({ file, deployed: { generation: 2, serving: 2 } }));
    assert.deepEqual([step?.name, step?.stops], ["back", true]);
    assert.deepEqual(written(SWITCHED, step), BESIDE);
    const gone = { file: fileOf(BESIDE), deployed: { generation: 2, serving: 1 } };
    assert.equal(nextStep(BACK, facts({ ...gone, stopped: ["temporal/a"] }))?.name, "start");
    assert.throws(() => nextStep(BACK, facts(gone)), /uses generation 1 already/);
    const released = fileOf({ ...SWITCHED, restore: { ...RESTORE, keepFormer: false } });
    const refused = facts({ file: released, deployed: { generation: 2, serving: 2 } });
    assert.throws(() => nextStep(BACK, refused), /generation 1 was released/);
    assert.throws(() => nextStep(BACK, facts()), /no restore to go back from/);
  });

  it("says what is lost, from which backup, and how much log is replayed", () => {
    const notes = nextStep(to("2026-11-28T10:15:00Z"), facts())?.notes.join("\n") ?? "";
    assert.match(notes, /lost: what was written from 2026-11-28T10:15:00\.000Z on, 1 h 45 min/);
    assert.match(
      notes,
      /base backup temporal-pg-20261127020000 and 32 h 14 min of log: at least 387 segments/,
    );
    assert.match(nextStep(LATEST, facts())?.notes.join("\n") ?? "", /at most the last 300 s/);
    const byBackup = nextStep(ofBackup("temporal-pg-20261126020000"), facts());
    assert.deepEqual(written({}, byBackup)["restore"], { fromGeneration: 1, backupId: "20261126T020000" });
  });

  it("makes the next generation in place of a Cluster that is gone, and says that nothing is known", () => {
    const archive: Archive = {
      ...ARCHIVE,
      ...{ exists: false, backups: [], first: undefined, last: undefined },
      archiving: { state: "unknown" },
    };
    const step = nextStep(LATEST, facts({ archive }));
    assert.deepEqual(written({}, step), {
      generation: 2,
      restore: { fromGeneration: 1, keepFormer: false },
      serving: 2,
    });
    assert.equal(step?.stops, true);
    assert.match(step.notes.join("\n"), /knows of no backup.*\n.*\n.*pulumi refresh/);
    assert.throws(() => nextStep(ofBackup("nightly"), facts({ archive })), /no base backup nightly/);
  });

  const failing: Archive = { ...ARCHIVE, archiving: { state: "fails", message: "403", since: undefined } };
  const refusals: Readonly<Record<string, readonly [Wish, Partial<RestoreFacts>, RegExp]>> = {
    "the future": [to("2026-11-28T12:00:01Z"), {}, /in the future/],
    "a time before the first point": [
      to("2026-11-26T02:00:59Z"),
      {},
      /before the first point.*2026-11-26T02:01/,
    ],
    "a time that is not archived yet": [
      to("2026-11-28T11:59:00Z"),
      {},
      /may not be archived yet; certain is/,
    ],
    "a failed base backup": [ofBackup(FAILED.name), {}, /failed and cannot be restored: checksum mismatch/],
    "a backup that nobody took": [ofBackup("nightly"), {}, /has no base backup nightly/],
    "a cluster without a backup": [
      LATEST,
      { archive: { ...ARCHIVE, backups: [FAILED] } },
      /no completed base/,
    ],
    "a stack without backups": [LATEST, { file: chartSettings().cluster }, /has no backups/],
    "another restore while one waits": [
      LATEST,
      { file: fileOf(BESIDE), deployed: { generation: 2, serving: 1 } },
      /restored already and waits/,
    ],
    "another point while a Cluster is filled": [
      LATEST,
      { file: fileOf(BESIDE), newest: "filling" },
      /is being made of another point/,
    ],
    "going on after a recovery that failed": [
      CARRY_ON,
      { file: fileOf(BESIDE), newest: "failed" },
      /recovery of Cluster temporal-pg-2 failed/,
    ],
    "a switch to what is not ready": [
      CARRY_ON,
      { file: fileOf(BESIDE), deployed: { generation: 2, serving: 1 }, newest: "filling" },
      /temporal-pg-2 is not ready/,
    ],
    "a release before the switch": [
      RELEASE,
      { file: fileOf(BESIDE), deployed: { generation: 2, serving: 1 } },
      /uses generation 1, not the restored 2/,
    ],
  };
  for (const [what, [wish, changes, message]] of Object.entries(refusals)) {
    it(`refuses ${what}`, () => {
      assert.throws(() => nextStep(wish, facts(changes)), message);
    });
  }

  it("names the next older backup in place of one that failed, and warns where the log may have a gap", () => {
    assert.throws(
      () => nextStep(ofBackup(FAILED.name), facts()),
      (error: { remedy?: string }) =>
        error.remedy === "take the next older one: --backup temporal-pg-20261127020000",
    );
    const step = nextStep(to("2026-11-28T11:59:00Z"), facts({ archive: failing }));
    assert.match(step?.notes.join("\n") ?? "", /beyond 2026-11-28T11:54:30\.000Z is not known/);
    // Another point is taken for a generation of which nothing was made.
    const anew = nextStep(ofBackup("20261127T020000"), facts({ file: fileOf(BESIDE), newest: "absent" }));
    assert.equal(written(BESIDE, anew)["generation"], 2);
  });

  it("tells people what there is and what comes next", () => {
    const text = describeArchive({ ...failing });
    assert.match(text, /first point: 2026-11-26T02:01:00\.000Z; last certain point: 2026-11-28T11:54:30/);
    assert.match(text, /NOT archived: 403[^]*20261128020000 {2}failed {2}checksum mismatch/);
    const step = nextStep(LATEST, facts());
    assert.ok(step);
    assert.match(describeStep(step), /^next: make generation 2 of all .*\n {2}- lost:/);
  });
});

describe("archive of a generation", () => {
  const objects = (phase: string, status: "True" | "False") => ({
    cluster: {
      status: {
        conditions: [
          {
            ...{ type: "ContinuousArchiving", status, message: "exit status 4" },
            lastTransitionTime: "2026-11-28T11:00:00Z",
          },
        ],
      },
    },
    objectStore: {
      status: {
        serverRecoveryWindow: {
          "temporal-pg": { firstRecoverabilityPoint: "2026-11-01T02:00:00Z" },
          "temporal-pg-2": { firstRecoverabilityPoint: "2026-11-20T02:00:00Z" },
        },
      },
    },
    backups: ["temporal-pg", "temporal-pg-2"].map((name) => ({
      metadata: { name: `${name}-1` },
      spec: { cluster: { name }, method: "plugin" },
      status: { phase, stoppedAt: "2026-11-28T02:00:00Z", backupId: "20261128T020000" },
    })),
  });

  it("is that of its own folder, and certain until what must have reached the store", () => {
    const works = archiveOf("temporal-pg-2", objects("completed", "True"), 300, NOW);
    assert.equal(works.first?.toISOString(), "2026-11-20T02:00:00.000Z");
    assert.equal(works.last?.toISOString(), "2026-11-28T11:54:30.000Z");
    assert.deepEqual(
      works.backups.map(({ name, state }) => [name, state]),
      [["temporal-pg-2-1", "completed"]],
    );
    const fails = archiveOf("temporal-pg", objects("completed", "False"), 300, NOW);
    assert.equal(fails.last?.toISOString(), "2026-11-28T10:54:30.000Z");
    assert.equal(fails.archiving.state, "fails");
  });

  it("has no certain point without a completed base backup, nor after the loss of the cluster", () => {
    const running = archiveOf("temporal-pg", objects("started", "True"), 300, NOW);
    assert.deepEqual([running.last, running.backups[0]?.state], [undefined, "running"]);
    const lost = archiveOf(
      "temporal-pg",
      { cluster: undefined, objectStore: undefined, backups: [] },
      300,
      NOW,
    );
    assert.deepEqual([lost.exists, lost.first, lost.archiving.state], [false, undefined, "unknown"]);
  });
});

describe("verification of a restored generation", () => {
  const { settings, cluster } = settingsOf(BESIDE);
  const answers = {
    ...{ schema: "1.18", visibilitySchema: "1.10", open: 2, visibleOpen: 2, lastHeartbeat: null },
    clusters: [`${settings.temporal.mode === "chart" ? settings.temporal.historyShards : 0} prod`],
    namespaces: [settings.temporal.namespace],
  };

  it("asks the new generation with Temporal's own login, read-only, and holds no password", () => {
    const job = verificationJob(settings, cluster, 2, "verification");
    assert.deepEqual(openApiProblems(job), []);
    const text = JSON.stringify(job);
    assert.match(text, /temporal-pg-2-rw\.temporal\.svc/);
    assert.match(text, /temporal-pg-login-a/);
    assert.match(text, /default_transaction_read_only=on/);
    assert.match(text, /temporal-pg-2-ca/);
  });

  it("takes what the two questions answer, and nothing else", () => {
    const { visibilitySchema, visibleOpen, ...main } = answers;
    const log = `${JSON.stringify(main)}\n${JSON.stringify({ visibilitySchema, visibleOpen })}\n`;
    assert.deepEqual(answersIn(log), answers);
    assert.equal(answersIn(JSON.stringify(main)), undefined);
    assert.equal(answersIn('{"schema":\n'), undefined);
  });

  it("refuses the data of another Temporal cluster, and a point before a namespace", () => {
    const { temporal } = settings;
    assert.ok(temporal.mode === "chart");
    const own = [`${temporal.historyShards} ${temporal.cluster.name}`];
    const problems = (changes: Partial<typeof answers>) =>
      verificationProblems({ ...answers, clusters: own, ...changes }, settings);
    assert.deepEqual(problems({}), []);
    assert.match(problems({ clusters: ["4 other"] }).join(), /not that of Temporal cluster.*"4 other"/);
    assert.match(problems({ clusters: [] }).join(), /records none/);
    assert.match(problems({ namespaces: [] }).join(), /before its creation/);
  });
});

describe("times in a stack file", () => {
  it("stand in quotes, as the engine would make another text of them", () => {
    const change = { path: ["postgres", "restore"], new: { targetTime: "2026-11-28T10:15:00Z" } } as const;
    assert.match(withSettings("config: {}\n", [change]), /targetTime: "2026-11-28T10:15:00Z"/);
  });
});
