import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection } from "@temporalio/client";
import { eventually, freePort, Process } from "../support/process";

export const TASK_QUEUE = "orders-test";

/** Path of the Temporal CLI; these tests prove nothing without one. */
export function temporalCli(): string {
  const path = process.env["TEMPORAL_CLI_PATH"];
  if (path === undefined || path === "") {
    throw new Error("set TEMPORAL_CLI_PATH to a Temporal CLI (1.5 or newer): these tests need a real server");
  }
  return path;
}

/** A dev server with its state in a file, so that it can be stopped and started again. */
export class Server {
  private readonly folder = mkdtempSync(join(tmpdir(), "temporal-test-"));
  private process: Process | undefined;

  private constructor(readonly port: number) {}

  static async create(): Promise<Server> {
    return new Server(await freePort());
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.process = Process.start(
      temporalCli(),
      [
        ...["server", "start-dev", "--headless", "--log-level", "error", "--ip", "127.0.0.1"],
        ...["--port", String(this.port), "--db-filename", join(this.folder, "temporal.db")],
      ],
      { PATH: process.env["PATH"], HOME: this.folder },
    );
    const { process: server } = this;
    await eventually("the dev server", async () => {
      if (!server.running) throw new Error(server.output);
      const connection = await Connection.connect({ address: this.address, connectTimeout: 1000 });
      await connection.workflowService
        .describeNamespace({ namespace: "default" })
        .finally(() => connection.close());
      return true;
    });
  }

  async stop(): Promise<void> {
    await this.process?.end("SIGKILL");
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
