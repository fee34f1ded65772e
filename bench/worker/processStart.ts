import { join } from "node:path";
import { checkout } from "../../common/paths";
import { inTurns } from "../inTurns";
import { type Figure, figure, ratio } from "../table";
import { deployedEnvironment } from "./deployment";
import type { DevServer } from "./devServer";
import { BackgroundProcess, freePort } from "./process";
import { firstPollOf } from "./start";

/** A worker may be no slower at its start than the least one that the SDK's documentation shows. */
const LIMIT = 1;

const worker = join(checkout, "worker");

/**
 * Compares the time from a process's start to its first poll, as the server notes it, with that of the least worker
 * that loads a bundle: ours from the files of its image, that one from its packages as they are installed.
 *
 * @param runs how often each is measured
 */
export async function processStartFigures(server: DevServer, runs: number): Promise<Figure[]> {
  const [least, ours] = await inTurns(
    runs,
    (run) =>
      firstPoll(server, `least-${run}`, ["test/bench/plain-worker.mjs"], worker, {
        TEMPORAL_ADDRESS: server.address,
        TEMPORAL_NAMESPACE: server.namespace,
        TEMPORAL_TASK_QUEUES: `least-${run}`,
      }),
    async (run) => {
      const healthPort = await freePort();
      return firstPoll(server, `ours-${run}`, ["lib/main.js"], join(worker, "out"), {
        ...deployedEnvironment({ address: server.address, taskQueue: `ours-${run}` }),
        NODE_OPTIONS: "",
        HEALTH_PORT: String(healthPort),
        METRICS_BIND_ADDRESS: `127.0.0.1:${await freePort()}`,
      });
    },
  );
  return [
    figure(`process start to first poll, median of ${runs}`, ours, "ms"),
    figure("  the same, the least worker with a prebuilt bundle", least, "ms"),
    ratio("process start to first poll ÷ the least worker's", ours / least, LIMIT),
  ];
}

async function firstPoll(
  server: DevServer,
  taskQueue: string,
  main: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const startedAt = Date.now();
  const started = new BackgroundProcess({
    name: `the worker ${taskQueue}`,
    command: [process.execPath, ...main],
    cwd,
    env,
  });
  try {
    // Asking the server costs a process: it is left in peace until the SDK says that the worker runs.
    await started.until(async () => started.hasPrinted("RUNNING"));
    let polledAt: number | undefined;
    await started.until(async () => (polledAt = await firstPollOf(server, taskQueue)) !== undefined);
    return (polledAt ?? Number.NaN) - startedAt;
  } finally {
    await started.stop();
  }
}
