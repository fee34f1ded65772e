import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { Failure, lastLines } from "../../common/failure";
import { imageAllocator } from "../../worker/test/image-environment";
import { checkout } from "../../common/paths";
import { asIfLimited, deployedEnvironment, deployedMemory, type Keyring } from "./deployment";
import type { DevServer } from "./devServer";
import { BackgroundProcess, freePort } from "./process";

/** What is compared: the SDK's defaults, our settings, and these with one thing more. */
export const VARIANTS = ["defaults", "ours", "encrypted", "traced"] as const;
export type Variant = (typeof VARIANTS)[number];

/** How much is measured. */
export interface Load {
  /** Orders of one turn. */
  readonly orders: number;
  /** Orders at the same time. */
  readonly concurrency: number;
  /** Turns of each variant. */
  readonly rounds: number;
}

/** What was measured of one variant. */
export interface Measured {
  /** Orders per second, turn by turn. */
  readonly throughput: readonly number[];
  readonly peakMebibytes: number;
  /** Time of the processors for one order, in ms, with what the process does while it waits. */
  readonly cpuMs: number;
}

/** What was measured of all. */
export type Turns = Readonly<Record<Variant, Measured>> & {
  /** Time of the processors that the server takes for one order, in ms. */
  readonly serverCpuMs: number;
};

/** Orders of each variant before the first turn: they fill caches, and get code compiled. */
const WARM_UP = 50;
const MIB = 1024 ** 2;
const KEY = "key-1";

const worker = join(checkout, "worker");
const turnSchema = z.object({ name: z.enum(VARIANTS), seconds: z.number() });

/**
 * Has a worker process of each variant do the same orders, on one server and one after the other, so that what else
 * the machine does meets them all. The workers wait while it is not their turn.
 */
export async function measureTurns(server: DevServer, load: Load): Promise<Turns> {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-bench-"));
  const sink = await traceSink();
  const processes: BackgroundProcess[] = [];
  try {
    const keyring = { folder: newKeyring(folder), active: KEY };
    const deployed = async (variant: Variant, more = {}) => {
      const healthPort = await freePort();
      const process = start(variant, ["lib/main.js"], {
        ...deployedEnvironment({ address: server.address, taskQueue: variant, ...more }),
        ...asIfLimited(deployedMemory()),
        ...imageAllocator(),
        HEALTH_PORT: String(healthPort),
        METRICS_BIND_ADDRESS: `127.0.0.1:${await freePort()}`,
      });
      processes.push(process);
      await process.until(async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok);
      return process;
    };
    const defaults = start("defaults", ["test/bench/plain-worker.mjs"], {
      // What Node takes for its heap by itself in a container with that limit: half of it.
      NODE_OPTIONS: `--max-old-space-size=${Math.floor(deployedMemory() / MIB / 2)}`,
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: server.namespace,
      TEMPORAL_TASK_QUEUES: "defaults",
    });
    processes.push(defaults);
    const workers: Record<Variant, BackgroundProcess> = {
      defaults,
      ours: await deployed("ours"),
      encrypted: await deployed("encrypted", { keyring }),
      traced: await deployed("traced", { traceEndpoint: sink.endpoint }),
    };
    const cpuSeconds = async () => ({
      server: await server.cpuSeconds(),
      defaults: await workers.defaults.cpuSeconds(),
      ours: await workers.ours.cpuSeconds(),
      encrypted: await workers.encrypted.cpuSeconds(),
      traced: await workers.traced.cpuSeconds(),
    });
    const before = await cpuSeconds();
    const turns = await takeTurns(server, load, keyring);
    const after = await cpuSeconds();
    const orders = load.orders * load.rounds + WARM_UP;
    const measured = (variant: Variant): Measured => ({
      throughput: turns.filter(({ name }) => name === variant).map(({ seconds }) => load.orders / seconds),
      peakMebibytes: workers[variant].peakMebibytes,
      cpuMs: ((after[variant] - before[variant]) * 1_000) / orders,
    });
    return {
      defaults: measured("defaults"),
      ours: measured("ours"),
      encrypted: measured("encrypted"),
      traced: measured("traced"),
      serverCpuMs: ((after.server - before.server) * 1_000) / (orders * VARIANTS.length),
    };
  } finally {
    await Promise.all(processes.map((process) => process.stop()));
    sink.server.closeAllConnections();
    sink.server.close();
    rmSync(folder, { recursive: true });
  }
}

function start(variant: Variant, main: readonly string[], env: Record<string, string>): BackgroundProcess {
  return new BackgroundProcess({
    name: `the worker ${variant}`,
    command: [process.execPath, ...main],
    cwd: worker,
    env,
  });
}

async function takeTurns(server: DevServer, load: Load, keyring: Keyring) {
  const { orders: count, concurrency, rounds } = load;
  const turns = VARIANTS.map((name) => ({
    name,
    taskQueue: name,
    ...(name === "encrypted" ? { keyring } : {}),
  }));
  const { address, namespace } = server;
  const plan = { address, namespace, count, concurrency, warmUp: WARM_UP, rounds, turns };
  const { failed, stdout, stderr } = await execa(
    process.execPath,
    ["test/bench/load.mjs", JSON.stringify(plan)],
    { cwd: worker, stdin: "ignore", reject: false },
  );
  if (failed) {
    throw new Failure(
      "orders of the measurement failed",
      "the lines above name the cause",
      lastLines(stderr),
    );
  }
  return stdout.split("\n").map((line) => turnSchema.parse(JSON.parse(line)));
}

function newKeyring(folder: string): string {
  writeFileSync(join(folder, KEY), randomBytes(32).toString("base64"), { mode: 0o600 });
  return folder;
}

/** Takes whatever spans are sent, and forgets them. */
async function traceSink(): Promise<{ server: Server; endpoint: string }> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.writeHead(200).end());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no TCP port");
  return { server, endpoint: `http://127.0.0.1:${address.port}` };
}
