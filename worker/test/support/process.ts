import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";

export const PACKAGE = join(__dirname, "..", "..");

/** @param taken a port that must not be given again */
export async function freePort(taken?: number): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no TCP port");
  return address.port === taken ? freePort(taken) : address.port;
}

/** Repeats a look until it gives something other than undefined. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined>,
  timeoutMs = 30_000,
): Promise<T> {
  const giveUpAt = Date.now() + timeoutMs;
  for (;;) {
    let cause: unknown;
    const seen = await look().catch((error: unknown) => void (cause = error));
    if (seen !== undefined) return seen;
    if (Date.now() > giveUpAt) throw new Error(`${what}: not within ${timeoutMs} ms`, { cause });
    await delay(50);
  }
}

/** A child process whose output is kept for the failure message. */
export class Process {
  output = "";
  readonly exited: Promise<number | null>;

  private constructor(private readonly child: ChildProcess) {
    child.stdout?.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
    this.exited = once(child, "exit").then(() => child.exitCode);
  }

  static start(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Process {
    return new Process(spawn(command, args, { cwd: PACKAGE, env, stdio: ["ignore", "pipe", "pipe"] }));
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.running) this.child.kill(signal);
    return this.exited;
  }
}

/** A keyring directory as Kubernetes would mount it. */
export function keyringFolder(ids: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "temporal-keys-"));
  for (const id of ids)
    writeFileSync(join(folder, id), `${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
  return folder;
}

type Endpoint = "/startupz" | "/livez" | "/readyz";

/** A worker process, started as in the image or, with `script`, from a TypeScript file. */
export class WorkerProcess {
  private constructor(
    readonly process: Process,
    private readonly healthPort: number,
    private readonly metricsPort: number,
  ) {}

  static async start(
    env: Readonly<Record<string, string>>,
    script?: string,
    wrap: (command: readonly string[]) => readonly [string, readonly string[]] = ([
      command = "",
      ...args
    ]) => [command, args],
  ): Promise<WorkerProcess> {
    const healthPort = await freePort();
    const metricsPort = await freePort(healthPort);
    const main = script === undefined ? ["lib/main.js"] : ["--require", "sucrase/register/ts", script];
    const started = Process.start(...wrap([process.execPath, ...main]), {
      PATH: process.env["PATH"],
      HEALTH_PORT: String(healthPort),
      METRICS_BIND_ADDRESS: `127.0.0.1:${metricsPort}`,
      ...env,
    });
    return new WorkerProcess(started, healthPort, metricsPort);
  }

  /** The log so far; lines that are not JSON fail. */
  log(): Record<string, unknown>[] {
    const lines = this.process.output.split("\n").slice(0, -1);
    return lines.map((line) => z.record(z.string(), z.unknown()).parse(JSON.parse(line)));
  }

  /** The metrics page. */
  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.metricsPort}/metrics`)).text();
  }

  /** HTTP status of a health endpoint. */
  async status(path: Endpoint): Promise<number> {
    const response = await this.look(path);
    await response.arrayBuffer();
    return response.status;
  }

  /** What a health endpoint says. */
  async body(path: Endpoint): Promise<string> {
    return (await this.look(path)).text();
  }

  private look(path: Endpoint): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.healthPort}${path}`);
  }

  async answers(path: Endpoint, status: number): Promise<void> {
    try {
      await eventually(`${path} ${status}`, async () =>
        (await this.status(path)) === status ? true : undefined,
      );
    } catch (error) {
      throw new Error(this.process.output, { cause: error });
    }
  }

  stop(): Promise<number | null> {
    return this.process.end("SIGTERM");
  }
}
