import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { diffLines } from "diff";
import { parseSettings, type Settings } from "../../settings/settings";
import { sourceOfStackFile } from "../../settings/stackFile";
import { groupPromotion } from "../../ops/promote/groupImage";
import { problemsOf, settingsOf as settingsOfText } from "../../ops/promote/promoteImage";
import { promotionsOf } from "../../ops/promote/promotion";
import { withSettings } from "../../ops/stack/stackFileEdit";
import { runningVersions } from "../../ops/promote/running";
import { deployStack, STACKS } from "../program/stack";
import { STACK_FILES } from "../support/stackFiles";
import { FAKE_DIGEST } from "../emulation";

const DIGEST = `sha256:${"a".repeat(64)}`;
const SERVER_DIGEST = `sha256:${"b".repeat(64)}`;
const REPOSITORY = "ghcr.io/example/temporal-stack-worker";

const textOf = (stack: string) => readFileSync(join(STACK_FILES, `Pulumi.${stack}.yaml`), "utf8");

function settingsOf(stack: string): Settings {
  const source = sourceOfStackFile(STACK_FILES, stack);
  assert.ok(source);
  return parseSettings(source);
}

/** Lines that differ, with their sign. */
const changedLines = (before: string, after: string) =>
  diffLines(before, after).flatMap(({ added, removed, value }) =>
    added || removed
      ? value
          .trimEnd()
          .split("\n")
          .map((line) => `${added ? "+" : "-"}${line}`)
      : [],
  );

describe("promotion", () => {
  it("reads what runs out of the checkpoint of a whole stack", async () => {
    const { registrations, outputs } = await deployStack("dev");
    const resources = [
      { type: "pulumi:pulumi:Stack", outputs },
      ...registrations.map(({ type, inputs }) => ({ type, inputs })),
    ];
    const { temporal, postgres } = settingsOf("dev");
    assert.ok(temporal.mode === "chart" && postgres?.mode === "cluster");
    const { server, worker, ...running } = runningVersions("dev", { deployment: { resources } });
    assert.deepEqual(worker, { repository: REPOSITORY, digest: FAKE_DIGEST });
    assert.equal(`${server?.repository}:${server?.tag}`, temporal.images.server);
    assert.equal(`${running.postgres?.repository}:${running.postgres?.tag}`, postgres.image);
    assert.equal(`${running.operator?.repository}:${running.operator?.tag}`, postgres.operator.image);
    assert.equal(running.temporalChart, temporal.chartVersion);
    assert.equal(running.operatorChart, postgres.operator.chartVersion);
    // What both stacks have from the same defaults is no change of the other's file.
    assert.deepEqual(
      promotionsOf({ worker, server, ...running }, settingsOf("prod")).promotions.map(({ path }) =>
        path.join("."),
      ),
      ["workerImage.digest"],
    );
  });

  it("refuses what never ran, or is known by a tag only", () => {
    const deployed = (workerImage?: string) => ({
      deployment: { resources: [{ type: "pulumi:pulumi:Stack", outputs: { workerImage } }] },
    });
    for (const state of [deployed(), deployed(`${REPOSITORY}:1.0`), { deployment: {} }]) {
      assert.throws(
        () => runningVersions("dev", state),
        /"dev" runs no worker image that is known by its digest/,
      );
    }
  });

  it("writes nothing but the promoted lines, in the real file", () => {
    const { promotions, notes } = promotionsOf(
      {
        worker: { repository: REPOSITORY, digest: DIGEST },
        images: {},
        server: { repository: "temporalio/server", tag: `1.31.3@${SERVER_DIGEST}` },
        adminTools: { repository: "temporalio/admin-tools", tag: "1.31.3" },
      },
      settingsOf("prod"),
    );
    assert.deepEqual(notes, []);
    const before = textOf("prod");
    const after = withSettings(before, promotions);
    assert.deepEqual(
      changedLines(before, after).sort(),
      [
        "+      adminTools: temporalio/admin-tools:1.31.3",
        `+      server: temporalio/server:1.31.3@${SERVER_DIGEST}`,
        "+    images:",
        `+    digest: ${DIGEST}`,
      ].sort(),
    );
    // Again, from one digest to the next: one line.
    const next = withSettings(after, [{ path: ["workerImage", "digest"], new: FAKE_DIGEST }]);
    assert.deepEqual(changedLines(after, next), [`-    digest: ${DIGEST}`, `+    digest: ${FAKE_DIGEST}`]);
  });

  it("promotes the images of groups that both stacks have, and names those that only one has", () => {
    const billing = { repository: "registry.example.com/billing", digest: DIGEST };
    const state = {
      deployment: {
        resources: [
          {
            type: "pulumi:pulumi:Stack",
            outputs: {
              workerImage: `${REPOSITORY}@${FAKE_DIGEST}`,
              workers: [
                { image: { name: "worker", reference: `${REPOSITORY}@${FAKE_DIGEST}` } },
                { image: { name: "billing", reference: `${billing.repository}@${DIGEST}` } },
                { image: { name: "reports", reference: `a/reports@${DIGEST}` } },
              ],
            },
          },
        ],
      },
    };
    const running = runningVersions("dev", state);
    assert.deepEqual(running.images, { billing, reports: { repository: "a/reports", digest: DIGEST } });
    const target = settingsOf("prod");
    const own = { repository: "eu.example.com/billing", digest: FAKE_DIGEST };
    const { promotions, notes } = promotionsOf(running, { ...target, images: { billing: own } });
    assert.deepEqual(promotions, [
      { path: ["workerImage", "digest"], old: undefined, new: FAKE_DIGEST },
      { path: ["images", "billing", "digest"], old: FAKE_DIGEST, new: DIGEST },
    ]);
    assert.match(notes[0] ?? "", /imagetools create --tag eu\.example\.com\/billing:promoted registry/);
    assert.match(notes[1] ?? "", /nothing was set for image "reports"/);
  });

  it("gives one group another digest, and no other group with it", () => {
    const target = settingsOf("prod");
    const [orders] = target.workers;
    assert.ok(orders);
    const images = { billing: { repository: "registry.example.com/billing", digest: FAKE_DIGEST } };
    const bills = { ...orders, name: "bills", image: "billing" };
    const workers = [orders, bills, { ...orders, name: "reports" }];
    const promoted = (group: string, digest = DIGEST) =>
      groupPromotion({ group, digest }, { ...target, images, workers });
    assert.deepEqual(promoted("bills"), {
      promotions: [{ path: ["images", "billing", "digest"], new: DIGEST }],
      notes: [],
    });
    assert.deepEqual(promoted("bills", FAKE_DIGEST).promotions, []);
    const { promotions, notes } = promoted("reports");
    assert.match(notes[0] ?? "", /group reports gets an image of its own; with "worker" stay orders/);
    assert.deepEqual(
      promotions.map(({ path, new: value }) => [path.join("."), value]),
      [
        ["images.reports.repository", target.workerImage.repository],
        ["images.reports.digest", DIGEST],
        ["workers.2.image", "reports"],
      ],
    );
    assert.throws(() => promoted("nobody"), /has no worker group "nobody"/);
    assert.throws(
      () =>
        groupPromotion(
          { group: "reports", digest: DIGEST },
          { ...target, images: { reports: images.billing }, workers },
        ),
      /image "worker" of group reports is run by orders, too, and images\.reports is another one/,
    );
  });

  it("writes a group's own image into the real file, settings that go together", async () => {
    const text = textOf("prod").replace(
      "      taskQueues: [orders]\n",
      "      taskQueues: [orders]\n    - name: reports\n      taskQueues: [reports]\n",
    );
    const target = await settingsOfText("prod", text);
    const { promotions } = groupPromotion({ group: "reports", digest: DIGEST }, target);
    const next = await settingsOfText("prod", withSettings(text, promotions));
    assert.deepEqual(
      next.workers.map(({ name, image }) => [name, image]),
      [
        ["orders", "worker"],
        ["reports", "reports"],
      ],
    );
    assert.deepEqual(next.images["reports"], { repository: target.workerImage.repository, digest: DIGEST });
  });

  it("refuses what is in quarantine on the target, as its preview would", () => {
    const target = { ...settingsOf("prod"), images: { billing: { repository: "a/b", digest: DIGEST } } };
    const quarantine = [
      { digest: DIGEST, sources: null, since: "2026-01-31T12:00:00.000Z", reason: "crashed" },
    ];
    assert.match(problemsOf({ quarantine }, target).join(), /sha256:\w+ is in quarantine .*: crashed/);
    assert.deepEqual(problemsOf({ quarantine: [] }, target), []);
    assert.deepEqual(problemsOf({}, target), []);
  });

  it("keeps the form of every stack file", () => {
    for (const stack of STACKS) assert.equal(withSettings(textOf(stack), []), textOf(stack), stack);
  });

  it("takes versions from elsewhere without the digest, which holds for one repository only", () => {
    const local = { repository: "10.201.0.2:5000/temporalio/server", tag: `1.31.2@${SERVER_DIGEST}` };
    const worker = { repository: "10.201.0.2:5000/worker", digest: DIGEST };
    const same = promotionsOf({ worker, images: {}, server: local }, settingsOf("prod"));
    assert.deepEqual(
      same.promotions.map(({ path }) => path.join(".")),
      ["workerImage.digest"],
    );
    assert.match(same.notes.join(), /ghcr\.io\/example\/temporal-stack-worker must have it/);
    const newer = promotionsOf(
      { worker, images: {}, server: { ...local, tag: `1.31.3@${SERVER_DIGEST}` } },
      settingsOf("prod"),
    );
    assert.equal(newer.promotions[1]?.new, "temporalio/server:1.31.3");
  });
});
