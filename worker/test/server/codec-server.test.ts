import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection } from "@temporalio/client";
import { OrderClient } from "../../src/client";
import { loadClientConfig } from "../../src/config";
import { sampleOrder } from "../../src/domain/sample-orders";
import { eventually, freePort, keyringFolder, Process, WorkerProcess } from "../support/process";
import { Server, TASK_QUEUE, temporalCli } from "./harness";

const UI = "http://127.0.0.1:8233";
const TOKEN = randomBytes(24).toString("base64url");

describe("codec server with the Temporal CLI", () => {
  const cleanup: (() => Promise<unknown> | undefined)[] = [];
  let server: Server;
  let codecServer: Process;
  let endpoint: string;

  const temporal = async (
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ code: number | null; output: string }> => {
    const everywhere = ["--address", server.address, "--namespace", "default", "--color", "never"];
    const cli = Process.start(temporalCli(), [...args, ...everywhere], {
      PATH: process.env["PATH"],
      HOME: tmpdir(),
      ...env,
    });
    return { code: await cli.exited, output: cli.output };
  };
  /** The history as the CLI gets it, with what its JSON has in base64 in clear. */
  const show = async (
    workflowId: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ code: number | null; output: string }> => {
    const selected = ["--workflow-id", workflowId, "--output", "json", "--command-timeout", "3s"];
    const { code, output } = await temporal(["workflow", "show", ...selected, ...args], env);
    const decoded = output.replace(/"(data|encoding)": "([^"]+)"/g, (_, key: string, value: string) => {
      return `"${key}": ${Buffer.from(value, "base64").toString("utf8")}`;
    });
    return { code, output: decoded };
  };

  before(async () => {
    server = await Server.create();
    cleanup.push(() => server.remove());
    await server.start();
    const folder = mkdtempSync(join(tmpdir(), "temporal-codec-"));
    const keys = keyringFolder(["client-key", "worker-key"]);
    cleanup.push(async () =>
      [folder, keys].forEach((path) => rmSync(path, { recursive: true, force: true })),
    );
    writeFileSync(join(folder, "token"), TOKEN, { mode: 0o600 });
    const env = {
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: "default",
      TEMPORAL_TASK_QUEUES: TASK_QUEUE,
      CODEC_KEYS_DIR: keys,
      CODEC_ACTIVE_KEY: "worker-key",
    };
    const worker = await WorkerProcess.start(env);
    cleanup.push(() => worker.process.end("SIGKILL"));
    const orders = await OrderClient.connect(loadClientConfig({ ...env, CODEC_ACTIVE_KEY: "client-key" }));
    cleanup.push(() => orders.close());
    await orders.start("shown", sampleOrder());
    await orders.start("failed", sampleOrder({ fail: "card-declined" }));
    for (const id of ["shown", "failed"]) await orders.outcome(id, 60);

    const port = await freePort();
    const healthPort = await freePort(port);
    endpoint = `http://127.0.0.1:${port}`;
    codecServer = Process.start(process.execPath, ["lib/codec-server/main.js"], {
      ...env,
      CODEC_SERVER_PORT: String(port),
      HEALTH_PORT: String(healthPort),
      CODEC_UI_ORIGIN: UI,
      CODEC_AUTH_TOKEN_FILE: join(folder, "token"),
    });
    cleanup.push(() => codecServer.end("SIGKILL"));
    await eventually("the codec server", async () =>
      (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok ? true : undefined,
    );
  });

  after(async () => {
    for (const undo of cleanup.reverse()) await undo();
  });

  it("shows a history in clear to who has the token", async () => {
    const encrypted = await show("shown");
    assert.equal(encrypted.code, 0, encrypted.output);
    assert.ok(!encrypted.output.includes("TEAPOT"));
    const flags = ["--codec-endpoint", `${endpoint}/{namespace}`, "--codec-auth", `Bearer ${TOKEN}`];
    const variables = { TEMPORAL_CODEC_ENDPOINT: endpoint, TEMPORAL_CODEC_AUTH: `Bearer ${TOKEN}` };
    for (const { code, output } of [await show("shown", flags), await show("shown", [], variables)]) {
      assert.equal(code, 0, output);
      assert.match(output, /TEAPOT/);
      assert.ok(!output.includes("binary/encrypted"));
    }
  });

  it("shows messages of failures", async () => {
    assert.ok(!(await show("failed")).output.includes("insufficient funds"));
    const auth = ["--codec-endpoint", endpoint, "--codec-auth", `Bearer ${TOKEN}`];
    assert.match((await show("failed", auth)).output, /insufficient funds/);
  });

  it("shows nothing to anybody else", async () => {
    for (const auth of [[], ["--codec-auth", "Bearer wrong"], ["--codec-auth", TOKEN]]) {
      const { code, output } = await show("shown", ["--codec-endpoint", endpoint, ...auth]);
      assert.notEqual(code, 0);
      // The CLI repeats the request until its time is over.
      assert.match(output, /context deadline exceeded/);
      assert.ok(!output.includes("TEAPOT"));
    }
  });

  it("encrypts what the CLI starts, so that the worker can read it and the server cannot", async () => {
    const input = JSON.stringify(sampleOrder());
    const { code, output } = await temporal([
      ...["workflow", "execute", "--type", "order", "--task-queue", TASK_QUEUE, "--workflow-id", "by-cli"],
      ...["--input", input, "--codec-endpoint", endpoint, "--codec-auth", `Bearer ${TOKEN}`],
    ]);
    assert.equal(code, 0, output);
    assert.match(output, /COMPLETED/);
    const connection = await Connection.connect({ address: server.address });
    const { history } = await connection.workflowService.getWorkflowExecutionHistory({
      namespace: "default",
      execution: { workflowId: "by-cli" },
    });
    await connection.close();
    const [payload] = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    assert.equal(Buffer.from(payload?.metadata?.["encryption-key-id"] ?? []).toString(), "worker-key");
  });

  it("writes neither payloads nor the token to its log, and ends clean", async () => {
    assert.equal(await codecServer.end("SIGTERM"), 0, codecServer.output);
    const lines = codecServer.output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.ok(lines.some((line) => line["path"] === "/default/decode" && line["namespace"] === "default"));
    assert.ok(lines.some((line) => line["status"] === 401));
    for (const secret of ["TEAPOT", TOKEN]) assert.ok(!codecServer.output.includes(secret), secret);
  });
});
