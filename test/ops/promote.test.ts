import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { diffLines } from "diff";
import { execa } from "execa";
import { parseSettings, type Settings } from "../../settings/settings";
import type { SettingsSource } from "../../settings/source";
import { sourceOfStackFile } from "../../settings/stackFile";
import { groupPromotion } from "../../ops/promote/groupImage";
import { problemsOf, promote, settingsIn } from "../../ops/promote/promoteImage";
import { promotionsOf } from "../../ops/promote/promotion";
import { type SettingChange, withSettings, withSettingsOfAll } from "../../ops/stack/stackFileEdit";
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

  it("writes a group's own image into the real file, settings that go together", () => {
    const text = textOf("prod").replace(
      "      taskQueues: [orders]\n",
      "      taskQueues: [orders]\n    - name: reports\n      taskQueues: [reports]\n",
    );
    const target = settingsIn(STACK_FILES, "prod", { "Pulumi.prod.yaml": text });
    const { promotions } = groupPromotion({ group: "reports", digest: DIGEST }, target);
    const next = settingsIn(STACK_FILES, "prod", { "Pulumi.prod.yaml": withSettings(text, promotions) });
    assert.deepEqual(
      next.workers.map(({ name, image }) => [name, image]),
      [
        ["orders", "worker"],
        ["reports", "reports"],
      ],
    );
    assert.deepEqual(next.images["reports"], { repository: target.workerImage.repository, digest: DIGEST });
  });

  describe("of groups with a file of their own", () => {
    const folder = mkdtempSync(join(tmpdir(), "temporal-stack-promote-"));
    const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
    const texts = (source: SettingsSource) =>
      Object.fromEntries((source.groups?.files ?? []).map(({ file, text }) => [file, text]));
    const edited = (changes: readonly SettingChange[]) => {
      const source = sourceOfStackFile(folder, "prod");
      assert.ok(source);
      const all = { ...texts(source), "Pulumi.prod.yaml": textOf("prod") };
      const next = withSettingsOfAll(source, all, changes);
      return { next, settings: settingsIn(folder, "prod", next) };
    };
    before(() => {
      mkdirSync(join(folder, "workers"));
      for (const stack of ["dev", "prod"]) write(`Pulumi.${stack}.yaml`, textOf(stack));
      write(
        "workers/billing.yaml",
        `# Owned by billing.\ntaskQueues: [billing]\nimage: { repository: registry.example.com/billing, digest: "${FAKE_DIGEST}" }\nstacks:\n  dev: {}\n  prod:\n    # since May\n    replicas: { min: 3, max: 4 }\n`,
      );
      write("workers/reports.yaml", "taskQueues: [reports]\nstacks: { dev: {}, prod: }\n");
    });
    after(() => rmSync(folder, { recursive: true }));

    it("changes the file where the group is, for that stack alone", () => {
      const { promotions } = groupPromotion({ group: "billing", digest: DIGEST }, settingsIn(folder, "prod"));
      const { next, settings } = edited(promotions);
      assert.deepEqual(Object.keys(next), ["workers/billing.yaml"]);
      assert.deepEqual(
        changedLines(
          readFileSync(join(folder, "workers/billing.yaml"), "utf8"),
          next["workers/billing.yaml"] ?? "",
        ),
        ["+    image:", `+      digest: ${DIGEST}`],
      );
      assert.equal(settings.images["billing"]?.digest, DIGEST);
      assert.equal(settingsIn(folder, "dev", next).images["billing"]?.digest, FAKE_DIGEST);
    });

    it("gives a group that runs the sample's image one of its own there", () => {
      const { promotions } = groupPromotion({ group: "reports", digest: DIGEST }, settingsIn(folder, "prod"));
      const { next, settings } = edited(promotions);
      assert.deepEqual(Object.keys(next), ["workers/reports.yaml"]);
      assert.deepEqual(settings.images["reports"], { repository: REPOSITORY, digest: DIGEST });
      assert.equal(settings.workers.find(({ name }) => name === "reports")?.image, "reports");
    });

    it("writes what another stack runs into each file that it concerns", () => {
      const running = {
        worker: { repository: REPOSITORY, digest: DIGEST },
        images: { billing: { repository: "registry.example.com/billing", digest: DIGEST } },
      };
      const { next } = edited(promotionsOf(running, settingsIn(folder, "prod")).promotions);
      assert.deepEqual(Object.keys(next), ["Pulumi.prod.yaml", "workers/billing.yaml"]);
    });

    it("are written by the command, and refused while a file has changes of its own", async () => {
      const git = (...args: string[]) =>
        execa("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], { cwd: folder });
      await git("init", "--quiet");
      await git("add", ".");
      await git("commit", "--quiet", "--message", "Groups");
      const what = { group: "billing", digest: DIGEST };
      const { diff, files } = await promote({ what, to: "prod", folder, dryRun: false });
      assert.match(diff, /^--- a\/workers\/billing\.yaml/m);
      assert.deepEqual(files, ["workers/billing.yaml"]);
      assert.equal((await git("status", "--porcelain")).stdout.trim(), "M workers/billing.yaml");
      await assert.rejects(
        promote({ what: { ...what, digest: FAKE_DIGEST }, to: "prod", folder, dryRun: false }),
        /workers\/billing\.yaml has changes that are not committed/,
      );
    });
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
