import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from "@temporalio/worker";
import type { WorkflowBundle } from "@temporalio/worker";
import { createDataConverter } from "../../src/codec/data-converter";
import { loadKeyring } from "../../src/codec/keyring";
import { replayOpenWorkflows } from "../../src/replay/gate";
import { Replayer } from "../../src/replay/replayer";
import type { ReplayReport } from "../../src/replay/report";
import { eventually, keyringFolder, PACKAGE, Process } from "../support/process";
import { Server, TASK_QUEUE, temporalCli } from "./harness";

const MANY = 500;
const PAYLOAD_BYTES = 300_000;
/** Well below what the histories take that 400 more workflows have. */
const GROWTH_LIMIT_MIB = 80;

const bundle = (name: string): Promise<WorkflowBundle> =>
  bundleWorkflowCode({
    workflowsPath: join(__dirname, "workflows", `${name}.ts`),
    failureConverterPath: require.resolve("../../src/codec/failure-converter"),
    logger: new DefaultLogger("ERROR"),
  });

describe("replay of open workflows", () => {
  const cleanup: (() => Promise<void> | void)[] = [];
  const candidates: Record<"deployed" | "changed", string> = { deployed: "", changed: "" };
  let deployed: WorkflowBundle;
  let server: Server;
  let keys: string;
  let client: Client;
  let connection: NativeConnection;

  const temporary = (): string => {
    const folder = mkdtempSync(join(tmpdir(), "temporal-replay-"));
    cleanup.push(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  };

  /** A build of this package whose workflows are others. */
  const candidate = ({ code }: WorkflowBundle): string => {
    const folder = temporary();
    cpSync(join(PACKAGE, "lib"), join(folder, "lib"), { recursive: true });
    symlinkSync(join(PACKAGE, "node_modules"), join(folder, "node_modules"));
    writeFileSync(join(folder, "lib", "workflow-bundle.js"), code);
    return folder;
  };

  const replay = async (
    folder: string,
    args: readonly string[] = [],
    env: NodeJS.ProcessEnv = {},
  ): Promise<{ code: number | null; output: string; report: ReplayReport | undefined }> => {
    const started = Process.start(process.execPath, [join(folder, "lib", "cli", "replay.js"), ...args], {
      PATH: process.env["PATH"],
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: "default",
      TEMPORAL_TASK_QUEUES: TASK_QUEUE,
      CODEC_KEYS_DIR: keys,
      CODEC_ACTIVE_KEY: "key-1",
      ...env,
    });
    const code = await started.exited;
    const json = started.output.split("\n").find((line) => line.startsWith("{"));
    return {
      code,
      output: started.output,
      report: json === undefined ? undefined : (JSON.parse(json) as ReplayReport),
    };
  };

  const start = (workflowId: string, type = "waiting", input = "tea"): Promise<unknown> =>
    client.workflow.start(type, { workflowId, taskQueue: TASK_QUEUE, args: [input] });

  const historyLength = async (workflowId: string): Promise<number> =>
    Number((await client.workflow.getHandle(workflowId).describe()).raw.workflowExecutionInfo?.historyLength);

  /** Until each of them waits on its timer, and the server lists them. */
  const waitFor = async (
    ids: readonly string[],
    query = ids.map((id) => `WorkflowId = "${id}"`).join(" OR "),
  ) => {
    for (const id of ids) {
      await eventually(id, async () => ((await historyLength(id)) >= 5 ? true : undefined));
    }
    await listed(query, ids.length);
  };

  const listed = (query: string, expected: number): Promise<unknown> =>
    eventually("the list", async () => {
      const { count } = await client.workflow.count(`ExecutionStatus = "Running" AND (${query})`);
      return count === expected ? true : undefined;
    });

  const withWorker = async (work: () => Promise<unknown>): Promise<void> => {
    const worker = await Worker.create({
      ...{ connection, taskQueue: TASK_QUEUE, workflowBundle: deployed },
      dataConverter: createDataConverter(loadKeyring(keys, "key-1")),
    });
    await worker.runUntil(work);
  };

  before(async function () {
    this.timeout(120_000);
    temporalCli();
    Runtime.install({ logger: new DefaultLogger("ERROR", () => undefined), shutdownSignals: [] });
    const changed = await bundle("changed");
    deployed = await bundle("deployed");
    Object.assign(candidates, { deployed: candidate(deployed), changed: candidate(changed) });
    server = await Server.create();
    cleanup.push(() => server.remove());
    await server.start();
    keys = keyringFolder(["key-1", "key-2"]);
    cleanup.push(() => rmSync(keys, { recursive: true, force: true }));
    connection = await NativeConnection.connect({ address: server.address });
    cleanup.push(() => connection.close());
    const clientConnection = await Connection.connect({ address: server.address });
    cleanup.push(() => clientConnection.close());
    client = new Client({
      connection: clientConnection,
      dataConverter: createDataConverter(loadKeyring(keys, "key-2")),
    });
  });

  after(async () => {
    for (const undo of cleanup.reverse()) await undo();
  });

  it("passes when nothing is open", async () => {
    const { code, report, output } = await replay(candidates.changed);
    assert.equal(code, 0, output);
    assert.deepEqual([report?.open, report?.compatible], [0, 0]);
  });

  it("passes a candidate that goes on where the deployed one is, encrypted payloads included", async () => {
    await withWorker(async () => {
      await Promise.all(["w-1", "w-2", "w-3"].map((id) => start(id)));
      await start("r-1", "retired");
      await waitFor(["w-1", "w-2", "w-3", "r-1"]);
    });
    const { code, report, output } = await replay(candidates.deployed);
    assert.equal(code, 0, output);
    assert.deepEqual([report?.open, report?.compatible, report?.incompatible], [4, 4, []]);
    assert.deepEqual([report?.namespace, report?.taskQueues], ["default", [TASK_QUEUE]]);
    const { version } = JSON.parse(
      readFileSync(join(PACKAGE, "node_modules/@temporalio/worker/package.json"), "utf8"),
    ) as { version: string };
    assert.equal(report?.sdkVersion, version);
  });

  it("names every workflow that a change breaks, and the event", async () => {
    const { code, report, output } = await replay(candidates.changed);
    assert.equal(code, 3, output);
    const found = report?.incompatible.map(({ workflowId, kind, event }) => ({ workflowId, kind, event }));
    const timer = { id: 5, type: "TimerStarted" };
    assert.deepEqual(
      found?.sort((a, b) => a.workflowId.localeCompare(b.workflowId)),
      [
        { workflowId: "r-1", kind: "unknownType", event: { id: 4, type: "WorkflowTaskCompleted" } },
        ...["w-1", "w-2", "w-3"].map((workflowId) => ({ workflowId, kind: "nondeterminism", event: timer })),
      ],
    );
    assert.match(report?.incompatible.find(({ type }) => type === "waiting")?.message ?? "", /TMPRL1100/);
  });

  it("sees a type that is missing before its first task", async () => {
    await start("r-unstarted", "retired");
    await listed('WorkflowId = "r-unstarted"', 1);
    const { code, report } = await replay(candidates.changed, ["--query", 'WorkflowId = "r-unstarted"']);
    assert.equal(code, 3);
    assert.deepEqual(
      report?.incompatible.map(({ workflowId, kind }) => [workflowId, kind]),
      [["r-unstarted", "unknownType"]],
    );
    assert.equal((await replay(candidates.deployed, ["--query", 'WorkflowId = "r-unstarted"'])).code, 0);
    await client.workflow.getHandle("r-unstarted").terminate();
  });

  it("says what a sample left out, and takes one of each type", async () => {
    const { code, report } = await replay(candidates.deployed, ["--sample", "1"]);
    assert.equal(code, 0);
    assert.deepEqual([report?.open, report?.compatible, report?.notSampled], [4, 2, 2]);
  });

  it("cannot check payloads whose key it lacks, names the key, and does not pass", async () => {
    const other = keyringFolder(["key-1"]);
    cleanup.push(() => rmSync(other, { recursive: true, force: true }));
    const { code, report, output } = await replay(candidates.deployed, [], { CODEC_KEYS_DIR: other });
    assert.equal(code, 1, output);
    assert.deepEqual([report?.compatible, report?.incompatible.length], [0, 0]);
    assert.equal(report?.unchecked.length, 4);
    for (const { reason } of report.unchecked) assert.match(reason, /unknown encryption key id "key-2"/);
    assert.doesNotMatch(output, /tea/);
  });

  it("has an exit code of its own for wrong settings, arguments and queries", async () => {
    const noAddress = await replay(candidates.deployed, [], { TEMPORAL_ADDRESS: "" });
    assert.equal(noAddress.code, 78);
    assert.match(noAddress.output, /TEMPORAL_ADDRESS: is required/);
    assert.equal((await replay(candidates.deployed, ["--sample", "0"])).code, 78);
    const badQuery = await replay(candidates.deployed, ["--query", "WorkflowType = "]);
    assert.equal(badQuery.code, 78, badQuery.output);
    assert.match(badQuery.output, /the server refuses the query/);
    const unreachable = await replay(candidates.deployed, [], { TEMPORAL_ADDRESS: "127.0.0.1:1" });
    assert.equal(unreachable.code, 1, unreachable.output);
  });

  it("replays what ends meanwhile to its end, and counts what is deleted meanwhile", async () => {
    const ids = Array.from({ length: 6 }, (_, n) => `meanwhile-${n}`);
    await withWorker(async () => {
      for (const id of ids) await start(id);
      await waitFor(ids);
      const replayer = new Replayer(deployed, loadKeyring(keys, "key-1"));
      let first = true;
      const report = await replayOpenWorkflows({
        ...{ connection, namespace: "default", taskQueues: [TASK_QUEUE], sdkVersion: "" },
        query: 'WorkflowId STARTS_WITH "meanwhile-"',
        replayer: {
          replay: async (workflowId, history) => {
            if (first) await endAndDelete("meanwhile-1", "meanwhile-0");
            first = false;
            return replayer.replay(workflowId, history);
          },
        },
      });
      await replayer.close();
      assert.deepEqual([report.open, report.compatible, report.gone], [6, 5, 1]);
      assert.deepEqual([report.incompatible, report.unchecked], [[], []]);
      for (const id of ids.slice(2)) await client.workflow.getHandle(id).terminate();
    });
  });

  const endAndDelete = async (ended: string, deleted: string): Promise<void> => {
    await client.workflow.getHandle(ended).signal("finish");
    assert.equal(await client.workflow.getHandle(ended).result(), "tea");
    const workflowExecution = { workflowId: deleted };
    await client.workflowService.deleteWorkflowExecution({ namespace: "default", workflowExecution });
    await eventually("the deletion", async () =>
      historyLength(deleted).then(
        () => undefined,
        () => true,
      ),
    );
  };

  it(`replays ${MANY} open workflows without holding their histories`, async function () {
    this.timeout(300_000);
    const ids = Array.from({ length: MANY }, (_, n) => `many-${100 + n}`);
    await withWorker(async () => {
      for (let first = 0; first < MANY; first += 20) {
        const batch = ids.slice(first, first + 20);
        await Promise.all(batch.map((id) => start(id, "waiting", "x".repeat(PAYLOAD_BYTES))));
      }
      await waitFor(ids, 'WorkflowId STARTS_WITH "many-"');
    });
    const folder = temporary();
    const hook = join(folder, "peak.cjs");
    const peak = join(folder, "peak");
    // Not `resourceUsage().maxRSS`: that begins with what the parent process had when it forked.
    writeFileSync(
      hook,
      `let peak = 0;
       const sample = () => (peak = Math.max(peak, process.memoryUsage.rss()));
       setInterval(sample, 20).unref();
       process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(peak)}, String(peak)));`,
    );
    const peakMiB = async (query: string, expected: number): Promise<number> => {
      const env = { NODE_OPTIONS: `--require ${hook}` };
      const { code, report, output } = await replay(candidates.deployed, ["--query", query], env);
      assert.equal(code, 0, output);
      assert.equal(report?.compatible, expected);
      return Number(readFileSync(peak, "utf8")) / 2 ** 20;
    };
    const some = await peakMiB('WorkflowId STARTS_WITH "many-1"', 100);
    const all = await peakMiB('WorkflowId STARTS_WITH "many-"', MANY);
    const growth = all - some;
    assert.ok(growth < GROWTH_LIMIT_MIB, `${growth} MiB more for ${MANY} than for 100`);
  });
});
