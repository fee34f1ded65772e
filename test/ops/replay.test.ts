import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { execa } from "execa";
import { imageReference } from "../../ops/replay/candidate";
import { UsageFailure } from "../../common/usageFailure";
import { chooseGroups, requireDeployed } from "../../ops/replay/chooseGroups";
import { exitCodeOf, type GroupReport, render, reportIn } from "../../ops/replay/replayReport";
import { outputsSchema } from "../../common/stackOutputs";
import { serviceOf, withAddress, workerConnection } from "../../ops/stack/workerConnection";
import { FAKE_DIGEST, FAKE_KEY } from "../emulation";
import type { Deployment } from "../harness";
import { deployStack, PROJECT_ROOT } from "../program/stack";
import { serveObjects } from "./servedObjects";

describe("replay gate", () => {
  describe("connects as the workers of a stack do", () => {
    let deployment: Deployment;
    let server: Server;
    let config: KubeConfig;
    const folder = mkdtempSync(join(tmpdir(), "temporal-stack-test-"));

    before(async () => {
      deployment = await deployStack("prod");
      ({ server, config } = await serveObjects(deployment));
    });

    after(() => {
      server.close();
      rmSync(folder, { recursive: true });
    });

    it("with their environment, and their keys in files that only their owner reads", async () => {
      const [group] = outputsSchema.parse(deployment.outputs).workers;
      assert.ok(group);
      const environment = await workerConnection(config, group, folder);
      assert.equal(environment["TEMPORAL_ADDRESS"], "temporal-frontend.temporal.svc:7233");
      assert.equal(environment["TEMPORAL_NAMESPACE"], "prod");
      assert.match(JSON.stringify(environment), /"TEMPORAL_TASK_QUEUES?":"orders"/);
      assert.deepEqual(
        Object.keys(environment).filter((name) => !/^(TEMPORAL|CODEC)_/.test(name)),
        [],
      );
      const keys = environment["CODEC_KEYS_DIR"] ?? "";
      assert.ok(keys.startsWith(folder), keys);
      assert.deepEqual(readdirSync(keys), [environment["CODEC_ACTIVE_KEY"]]);
      const key = join(keys, environment["CODEC_ACTIVE_KEY"] ?? "");
      assert.equal(readFileSync(key, "utf8"), FAKE_KEY);
      assert.equal(statSync(key).mode & 0o077, 0);
      assert.equal(statSync(keys).mode & 0o077, 0);
    });
  });

  it("finds the Service behind an address that resolves in its cluster only", () => {
    const service = { service: "frontend", namespace: "temporal", port: 7233 };
    assert.deepEqual(serviceOf("frontend.temporal.svc:7233"), service);
    assert.deepEqual(serviceOf("frontend.temporal.svc.cluster.local:7233"), service);
    assert.equal(serviceOf("prod.a1b2.tmprl.cloud:7233"), undefined);
    assert.equal(serviceOf("127.0.0.1:7233"), undefined);
  });

  it("expects the server's own certificate behind a forwarded port, and forces TLS on nobody", () => {
    const plain = { TEMPORAL_ADDRESS: "frontend.temporal.svc:7233" };
    assert.deepEqual(withAddress(plain, "127.0.0.1:1"), { TEMPORAL_ADDRESS: "127.0.0.1:1" });
    const named = (more: Record<string, string>) =>
      withAddress({ ...plain, ...more }, "127.0.0.1:1")["TEMPORAL_TLS_SERVER_NAME"];
    assert.equal(named({ TEMPORAL_TLS: "false" }), undefined);
    assert.equal(named({ TEMPORAL_TLS: "true" }), "frontend.temporal.svc");
    assert.equal(named({ TEMPORAL_API_KEY: "key" }), "frontend.temporal.svc");
    assert.equal(named({ TEMPORAL_TLS_SERVER_NAME: "temporal" }), "temporal");
  });

  it("takes an image by its content only", () => {
    const deployed = `registry:5000/worker@${FAKE_DIGEST}`;
    const other = `sha256:${"cd".repeat(32)}`;
    assert.equal(imageReference(other, deployed), `registry:5000/worker@${other}`);
    assert.equal(imageReference(`elsewhere/worker@${other}`, deployed), `elsewhere/worker@${other}`);
    for (const moving of ["worker:latest", "worker", "sha256:cd", `@${other}`]) {
      assert.throws(() => imageReference(moving, deployed), UsageFailure, moving);
    }
  });

  describe("of several worker groups", () => {
    const running = (name: string, image: string | undefined, replay?: string[]) => ({
      name,
      replay,
      image: image === undefined ? undefined : { name: image, reference: `${image}@${FAKE_DIGEST}` },
    });
    const sample = ["/nodejs/bin/node", "lib/cli/replay.js"];
    const all = [
      running("orders", "worker", sample),
      running("mails", "mails", ["python", "replay.py"]),
      running("old", undefined),
      running("dumb", "dumb", []),
    ];
    const candidate = `elsewhere/image@${FAKE_DIGEST}`;
    const chosen = (wanted: string | undefined, candidates: Readonly<Record<string, string>>) =>
      chooseGroups(all, wanted, candidates).map((choice) =>
        "notChecked" in choice ? choice.notChecked.replace(/[,;].*/, "") : [choice.image, ...choice.command],
      );

    it("replays the checkout for those that run the image of worker/", () => {
      const [mine, none] = [[undefined, ...sample], "its image dumb has no replay command"];
      assert.deepEqual(chosen(undefined, {}), [mine, "it runs image mails", mine, none]);
    });

    it("replays an image for those that run the one of its name, with their command", () => {
      const none = "its image dumb has no replay command";
      const mails = [candidate, "python", "replay.py"];
      assert.deepEqual(chosen(undefined, { mails: candidate }), [
        "it runs image worker",
        mails,
        "it runs image worker",
        none,
      ]);
      const only = "only mails was asked for";
      assert.deepEqual(chosen("mails", { mails: candidate, worker: candidate }), [only, mails, only, only]);
    });

    it("refuses an image that no group runs, and a group that is not there", () => {
      assert.throws(() => requireDeployed(all, { letters: candidate }), /no worker group runs image letters/);
      requireDeployed(all, { mails: candidate, worker: candidate });
      assert.throws(() => chooseGroups(all, "letters", {}), /no worker group letters/);
    });
  });

  describe("report", () => {
    const workflow = (workflowId: string) => ({ workflowId, runId: "run", type: "order" });
    const broken = (workflowId: string): GroupReport["incompatible"][number] => ({
      ...workflow(workflowId),
      kind: "nondeterminism",
      event: { id: 11, type: "ActivityTaskScheduled" },
      message: "[TMPRL1100] other activity",
    });
    const report = (found: Partial<GroupReport>) => ({
      stack: "prod",
      candidate: "this checkout",
      uncheckedGroups: [],
      groups: [
        {
          ...{ group: "orders", sdkVersion: "1.24.0", namespace: "prod", taskQueues: ["orders"] },
          ...{ open: 5, notSampled: 0, gone: 0, compatible: 5, incompatible: [], unchecked: [], ...found },
        },
      ],
    });

    it("says in full what was checked and what was not", () => {
      assert.equal(
        render(report({ compatible: 2, notSampled: 2, gone: 1 })),
        "candidate this checkout, workflows of stack prod\n" +
          "orders: 5 open on orders of namespace prod; with SDK 1.24.0 2 replayed, 0 break, " +
          "1 ended and were deleted meanwhile, 2 NOT CHECKED: not in the sample",
      );
    });

    it("names the workflows of each fault, and says when it does not name all", () => {
      const incompatible = Array.from({ length: 25 }, (_, n) => broken(`w-${n}`));
      const lines = render(report({ incompatible })).split("\n");
      assert.equal(lines[2], "  order breaks at event 11 ActivityTaskScheduled: [TMPRL1100] other activity");
      assert.deepEqual(lines.slice(3, 5), ["    w-0", "    w-1"]);
      assert.equal(lines.at(-1), "    and 5 more; --json names them all");
      assert.equal(lines.length, 24);
    });

    it("names the groups of other images as unchecked, never as passed", () => {
      const uncheckedGroups = [{ group: "billing", reason: "its image has no replay command" }];
      assert.match(
        render({ ...report({}), uncheckedGroups }),
        /\nbilling: NOT CHECKED: its image has no replay command$/,
      );
      assert.equal(exitCodeOf({ ...report({}), uncheckedGroups }), 0);
    });

    it("is the last line of JSON that is one", () => {
      const { group, ...found } = report({}).groups[0] ?? assert.fail();
      assert.equal(group, "orders");
      assert.deepEqual(reportIn(`{\n{"level":"info"}\n${JSON.stringify(found)}\n{"level":"info"}\n`), found);
      const least = {
        namespace: "prod",
        taskQueues: ["mails"],
        open: 1,
        compatible: 1,
        incompatible: [],
        unchecked: [],
      };
      assert.deepEqual(reportIn(JSON.stringify(least)), {
        ...least,
        sdkVersion: "unknown",
        notSampled: 0,
        gone: 0,
      });
      for (const text of ["", "all replayed", '{"compatible":5}']) assert.equal(reportIn(text), undefined);
    });

    it("has the exit code that deployments go by", () => {
      const unchecked = [{ ...workflow("w"), reason: "no key" }];
      assert.equal(exitCodeOf(report({})), 0);
      assert.equal(exitCodeOf(report({ notSampled: 4, gone: 1 })), 0);
      assert.equal(exitCodeOf(report({ unchecked })), 1);
      assert.equal(exitCodeOf(report({ unchecked, incompatible: [broken("w")] })), 3);
    });
  });

  it("refuses wrong arguments with an exit code of its own", async () => {
    const runs = [[], ["--stack", "prod", "--sample", "0"], ["--stack", "prod", "--digest", "x"]].map(
      (args) =>
        execa(process.execPath, ["--require", "sucrase/register/ts", "ops/replay.ts", ...args], {
          cwd: PROJECT_ROOT,
          reject: false,
        }),
    );
    for (const { exitCode, stderr } of await Promise.all(runs)) assert.equal(exitCode, 78, stderr);
  });
});
