import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { Failure } from "../../common/failure";
import { releasesOutput } from "../../components/guards/releases";
import { chooseUpdate, timeOf, type Wanted } from "../../ops/history/choose";
import { historyTable } from "../../ops/history/table";
import { historySchema, type RawHistory, type Update, updatesOf } from "../../ops/history/updates";
import { digestOf, stateOf } from "../../ops/stack/state";
import { commitOf, digest, image, release, updateOf, withBilling } from "./fixtures";

/** What the CLI printed of a real stack: two versions, a rollback, and an update that failed. */
const recorded = (name: string): unknown =>
  JSON.parse(readFileSync(join(__dirname, "../fixtures/history", `${name}.json`), "utf8"));

describe("history of a stack", () => {
  it("is told by the CLI, and completed by what the program recorded", () => {
    const updates = updatesOf(
      historySchema.parse(recorded("history")),
      releasesOutput.parse(recorded("releases")),
    );
    const told = updates.map(({ result, release: found, dirty }) => [
      result,
      dirty,
      found === undefined ? "" : digestOf(found.image).slice(7, 8),
    ]);
    assert.deepEqual(told, [
      ["failed", true, ""],
      ["succeeded", false, "1"],
      ["succeeded", false, "2"],
      ["succeeded", false, "1"],
    ]);
    const [, rollback, second, first] = updates;
    assert.equal(rollback?.commit, first?.commit);
    assert.notEqual(second?.commit, first?.commit);
    assert.match(rollback?.message ?? "", /^rollback to commit/);
    const section = second?.config["temporal-stack:workerImage"];
    assert.equal(section?.secret, true);
    assert.match(section.value ?? "", /another secret/);
  });

  it("knows every image of a stack by name, also those that only a Deployment still runs", () => {
    const resource = (type: string, outputs: unknown, inputs?: unknown) => ({
      urn: type,
      type,
      outputs,
      inputs,
    });
    const component = (outputs: unknown) => resource("temporal-stack:index:WorkerImage", outputs);
    const deploymentOf = (reference: string) =>
      resource("kubernetes:apps/v1:Deployment", undefined, {
        spec: { template: { spec: { containers: [{ image: reference }] } } },
      });
    const billing = (digit: string) => `registry.example.com/billing@${digest(digit)}`;
    const resources = [
      component({ reference: image("1"), sources: "s" }),
      component({ name: "billing", reference: billing("3"), sources: null }),
      ...[image("1"), billing("2"), "elsewhere/ui@sha256:1"].map(deploymentOf),
    ];
    assert.deepEqual(stateOf({ deployment: { resources } }).images, [
      { name: "worker", reference: image("1"), sources: "s" },
      { name: "billing", reference: billing("3"), sources: null },
      { name: undefined, reference: billing("2"), sources: null },
    ]);
  });

  it("comes with the state, of which nothing secret is opened", () => {
    const { images, quarantine, deployed, pending, recordsReleases } = stateOf(recorded("state"));
    assert.deepEqual(
      images.map(({ reference, sources }) => [digestOf(reference), sources]),
      [[digest("1"), null]],
    );
    assert.deepEqual(
      quarantine.map((held) => held.digest),
      [digest("2")],
    );
    assert.equal(deployed?.postgres?.storageSize, "5Gi");
    assert.deepEqual(pending, []);
    assert.ok(recordsReleases);
    assert.doesNotMatch(JSON.stringify(recorded("state")), /first secret|another secret/);
  });

  const entry = (minute: number, result = "succeeded"): RawHistory[number] => ({
    kind: "update",
    startTime: `2026-01-01T00:${String(minute).padStart(2, "0")}:00.000Z`,
    message: "",
    result,
    environment: {},
    config: {},
  });
  const recordedAt = (minute: number, digit: string) =>
    release(digit, { time: `2026-01-01T00:${String(minute).padStart(2, "0")}:30.500Z` });

  it("knows what runs after an update that changed nothing, and does not after one that failed", () => {
    const entries = [entry(4), entry(3, "failed"), entry(2), entry(1)];
    const images = (...releases: ReturnType<typeof recordedAt>[]) =>
      updatesOf(entries, releases).map(({ release: found }) => found?.image);
    const [a, b] = [image("a"), image("b")];
    assert.deepEqual(images(recordedAt(1, "a")), [a, undefined, a, a]);
    assert.deepEqual(images(recordedAt(1, "a"), recordedAt(4, "b")), [b, undefined, a, a]);
    // It failed after its program had recorded what it was to deploy.
    assert.deepEqual(images(recordedAt(1, "a"), recordedAt(3, "b")), [b, b, a, a]);
    // Deployed by another program before the second update.
    assert.deepEqual(images(recordedAt(2, "b")), [b, undefined, b, undefined]);
  });

  it("finds for every update the release that it left, whichever of them changed something", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 50 }), (digits) => {
        const entries = digits.map((_, index) => entry(index)).reverse();
        const releases = digits.flatMap((digit, index) =>
          digits[index - 1] === digit ? [] : [recordedAt(index, digit)],
        );
        const found = updatesOf(entries, releases).map((update) => update.release?.image);
        assert.deepEqual(found, digits.map(image).reverse());
      }),
    );
  });

  it("goes by the program's own word about files that differ, as the CLI counts stack files", () => {
    const environment = { "git.head": commitOf("1"), "git.dirty": "true", "git.author": "Ann Author" };
    const [clean] = updatesOf([{ ...entry(1), environment }], [recordedAt(1, "1")]);
    assert.deepEqual([clean?.commit, clean?.dirty, clean?.who], [commitOf("1"), false, "Ann Author"]);
    const [unknown] = updatesOf([{ ...entry(1), environment }], []);
    assert.deepEqual([unknown?.commit, unknown?.dirty], [commitOf("1"), true]);
    const [ci] = updatesOf(
      [{ ...entry(1), environment: { ...environment, "ci.system": "GitHub Actions" } }],
      [],
    );
    assert.equal(ci?.who, "GitHub Actions");
  });

  it("shows every image of an update, those of groups with their names", () => {
    const held = [{ digest: digest("2"), sources: null, since: "", reason: "" }];
    const table = historyTable([updateOf("1", { release: withBilling("1", "2") })], held, 1);
    assert.match(table, / 1{12}, billing 2{12} quarantine  1\.31\.2 /);
  });

  it("is shown without anything that a terminal would obey, and says what it leaves out", () => {
    const hostile = updateOf("1", {
      message: "a\u001b[2J\u202eb\nc\t\u0007".padEnd(90, "d"),
      who: "x\u001b]0;y",
    });
    const held = [{ digest: digest("1"), sources: null, since: "", reason: "" }];
    const table = historyTable([hostile, updateOf("2", { release: undefined, dirty: true })], held, 1);
    const [header, line, rest] = table.split("\n");
    assert.doesNotMatch(table.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u);
    assert.match(header ?? "", /^started +kind +result +commit +worker image +server +who +message$/);
    assert.match(line ?? "", /update  succeeded  1{12}  1{12} quarantine  1\.31\.2 .* a \[2J b c d+…$/);
    assert.equal(rest, "and 1 more; --all shows them");
    assert.match(
      historyTable([updateOf("2", { release: undefined, dirty: true })], [], 9),
      /2{12} dirty  - /,
    );
    assert.match(
      historyTable([updateOf("2", { release: undefined, dirty: true, result: "failed" })], [], 9),
      /2{12} +- /,
    );
  });
});

describe("choice of the update to go back to", () => {
  const wanted: Wanted = {
    ...{ stack: "prod", to: undefined, workerOnly: false, quarantine: [], obstacles: () => [] },
  };
  const target = (updates: Update[], changes: Partial<Wanted> = {}): string =>
    chooseUpdate(updates, { ...wanted, ...changes }).target.message;
  const refused = (updates: Update[], changes: Partial<Wanted> = {}): string => {
    try {
      chooseUpdate(updates, { ...wanted, ...changes });
    } catch (error) {
      assert.ok(error instanceof Failure);
      return [error.message, ...error.details, error.remedy].join("\n");
    }
    return assert.fail("nothing was refused");
  };
  const held = (...digits: string[]) =>
    digits.map((digit) => ({ digest: digest(digit), sources: null, since: "", reason: "" }));
  const [one, two, three] = [updateOf("1"), updateOf("2"), updateOf("3")];
  const failed = updateOf("4", { result: "failed", release: undefined });

  it("is the last good one before the one that is deployed", () => {
    assert.equal(target([three, two, one]), "version 2");
    assert.equal(target([three, updateOf("2", { result: "failed" }), one]), "version 1");
    assert.equal(target([three, updateOf("2", { kind: "refresh" }), one]), "version 1");
  });

  it("is the deployed one itself, when the last update failed", () => {
    assert.equal(target([failed, three, two]), "version 3");
  });

  it("passes over updates that deployed the same, and images in quarantine", () => {
    const again = updateOf("3", { release: two.release, commit: two.commit, message: "the same" });
    assert.equal(target([again, two, one]), "version 1");
    assert.equal(target([three, two, one], { quarantine: held("2") }), "version 1");
  });

  it("does not pass over another setting, commit or secret of the same image", () => {
    const config = { "temporal-stack:labels": { value: '{"a":"b"}', secret: true } };
    const same = { release: two.release, commit: two.commit };
    assert.equal(target([updateOf("3", { ...same, config }), two]), "version 2");
    assert.equal(target([updateOf("3", { release: two.release }), two]), "version 2");
    const secret = (value: string) => ({ "temporal-stack:tracing": { value, secret: true } });
    assert.equal(
      target([updateOf("3", { ...same, config: secret("a") }), updateOf("2", { config: secret("b") })]),
      "version 2",
    );
  });

  it("does not take what a rollback itself sets for another setting", () => {
    const config = {
      "temporal-stack:workerImage": {
        value: JSON.stringify({ repository: "registry.example.com/worker", digest: digest("1") }),
        secret: false,
      },
      "temporal-stack:quarantine": { value: '{"add":[]}', secret: false },
    };
    const rolledBack = updateOf("3", { release: one.release, commit: one.commit, config });
    const before = updateOf("0");
    assert.equal(target([rolledBack, two, one, before], { quarantine: held("2") }), "version 0");
  });

  it("is another image, for the workers alone", () => {
    const config = { "temporal-stack:labels": { value: '{"a":"b"}', secret: false } };
    const setting = updateOf("3", { release: release("2"), config });
    assert.equal(target([setting, two, one], { workerOnly: true }), "version 1");
  });

  it("is another image of any group, or of the one that is asked for", () => {
    const at = (digit: string, worker: string, billing: string) =>
      updateOf(digit, { commit: commitOf("1"), release: withBilling(worker, billing) });
    const all = [at("4", "2", "9"), at("3", "2", "8"), at("2", "1", "8"), at("1", "1", "7")];
    const workerOnly = true;
    assert.equal(target(all, { workerOnly }), "version 3");
    assert.equal(target(all, { workerOnly, image: "worker" }), "version 2");
    assert.equal(target(all, { workerOnly, image: "billing" }), "version 3");
    assert.equal(target(all, { workerOnly, image: "billing", quarantine: held("8") }), "version 1");
    // What another image's quarantine says is not asked when that one stays.
    assert.equal(target(all, { workerOnly, image: "worker", quarantine: held("8") }), "version 2");
    assert.match(
      refused(all, { workerOnly, image: "worker", to: "2026-01-01T00:03" }),
      /is what is deployed now, as far as the image "worker" goes/,
    );
    // A group that was not there yet is no reason to go back.
    assert.match(refused([at("4", "1", "9"), one], { workerOnly }), /has no good update before/);
    assert.equal(target([at("4", "1", "9"), one]), "version 1");
  });

  it("is the one of a commit, or the last one until a time", () => {
    const all = [three, two, one];
    assert.equal(target(all, { to: "1111111" }), "version 1");
    assert.equal(target(all, { to: "2026-01-01T00:02" }), "version 2");
    assert.equal(target(all, { to: "2026-01-01T01:01:59+01:00" }), "version 1");
    assert.match(refused(all, { to: "abcdef0" }), /no update .* was made from a commit abcdef0/);
    assert.match(refused(all, { to: "2025-12-31" }), /no update .* succeeded before 2025-12-31T23:59:59/);
    assert.match(refused(all, { to: "3333333" }), /commit 3{12} of .* is what is deployed now/);
  });

  it("fails where there is nothing to go back from or to, and says so", () => {
    assert.match(refused([]), /stack prod has no history/);
    assert.match(refused([updateOf("2", { kind: "destroy" }), one]), /was destroyed on 2026-01-01T00:02/);
    assert.match(refused([one]), /has no good update before the one that is deployed\n/);
    assert.match(refused([two, one], { quarantine: held("1") }), /except for images in quarantine/);
  });

  it("refuses with every reason, and offers what can be gone back to", () => {
    const obstacles = (update: Update) => (update === two ? ["a volume shrinks", "a key is gone"] : []);
    const text = refused([three, two, one], { obstacles });
    assert.match(
      text,
      /^cannot go back to commit 2{12} of .*; nothing was changed\na volume shrinks\na key is gone\n/,
    );
    assert.ok(
      text.includes(
        `commit 111111111111 of ${one.start} can be gone back to: npm run rollback -- -s prod --to ${one.start}`,
      ),
    );
    assert.match(text, /--worker-only/);
    const quarantined = refused([three, two, one], { to: commitOf("1"), quarantine: held("1") });
    assert.match(quarantined, /sha256:1+ is in quarantine: npm run quarantine -- -s prod/);
  });

  it("reads times as people write them, in UTC, and nothing else as a time", () => {
    assert.equal(timeOf("2026-01-31"), Date.UTC(2026, 0, 31, 23, 59, 59, 999));
    assert.equal(timeOf("2026-01-31 12:30"), Date.UTC(2026, 0, 31, 12, 30));
    assert.equal(timeOf("2026-01-31T12:30:15.5Z"), Date.UTC(2026, 0, 31, 12, 30, 15, 500));
    assert.equal(timeOf("2026-01-31T12:30+02:00"), Date.UTC(2026, 0, 31, 10, 30));
    for (const text of ["20260131", "2026-13-31", "yesterday", "2026-01-31T25:00", "abcdef0", ""]) {
      assert.equal(timeOf(text), undefined, text);
    }
  });
});
