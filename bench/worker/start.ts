import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { Failure, lastLines } from "../../common/failure";
import { docker } from "../../common/imageEngine";
import { inTurns } from "../inTurns";
import { type Figure, figure, ratio } from "../table";
import { deployedEnvironment } from "./deployment";
import type { DevServer } from "./devServer";
import { freePort } from "./process";

/** By issue 4. */
const LIMIT = 1.3;
const GIVE_UP_MS = 60_000;

const description = z.object({
  pollers: z.array(z.object({ taskQueueType: z.string(), lastAccessTime: z.string() })).nullish(),
});

/**
 * Compares the time from a container's start to its worker's first poll, as the server notes it, with that of
 * loading the SDK and nothing else in the same image.
 *
 * @param image name of the worker's image
 * @param runs how often each is measured
 */
export async function startFigures(image: string, server: DevServer, runs: number): Promise<Figure[]> {
  const [load, poll] = await inTurns(
    runs,
    () => sdkLoaded(image),
    (run) => firstPoll(image, server, `start-${run}`),
  );
  return [
    figure(`container start to first poll, median of ${runs}`, poll, "ms"),
    figure(`container start to SDK loaded, median of ${runs}`, load, "ms"),
    ratio("container start to first poll ÷ to SDK loaded", poll / load, LIMIT),
  ];
}

/** Milliseconds from a container's start until it has loaded the SDK; its clock is this machine's. */
async function sdkLoaded(image: string): Promise<number> {
  const script = 'require("@temporalio/worker"); console.log(Date.now());';
  const container = await docker(["create", "--network=none", image, "--eval", script]);
  try {
    const loadedAt = await docker(["start", "--attach", container]);
    return Number(loadedAt) - (await startedAt(container));
  } finally {
    await docker(["rm", "--force", container]);
  }
}

async function firstPoll(image: string, server: DevServer, taskQueue: string): Promise<number> {
  const [healthPort, metricsPort] = [await freePort(), await freePort()];
  const environment = {
    ...deployedEnvironment({ address: server.address, taskQueue }),
    HEALTH_PORT: String(healthPort),
    METRICS_BIND_ADDRESS: `127.0.0.1:${metricsPort}`,
  };
  const container = await docker([
    ...["run", "--detach", "--network=host", "--read-only"],
    ...Object.entries(environment).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
    image,
  ]);
  try {
    // Asking the server costs a process: it is left in peace until the worker says that it works.
    const ready = async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok;
    await untilSeen(container, async () => ((await ready()) ? true : undefined));
    const polledAt = await untilSeen(container, () => firstPollOf(server, taskQueue));
    return polledAt - (await startedAt(container));
  } finally {
    await docker(["rm", "--force", container]);
  }
}

/**
 * When the server got a worker's poll for workflow tasks, in ms. Without a task it stays open for a minute, so the
 * last one that the server has got is the first.
 *
 * @returns undefined before it
 */
export async function firstPollOf(server: DevServer, taskQueue: string): Promise<number | undefined> {
  const output = await server.cli("task-queue", "describe", "--task-queue", taskQueue, "--output", "json");
  const times = (description.parse(JSON.parse(output)).pollers ?? [])
    .filter(({ taskQueueType }) => taskQueueType === "workflow")
    .map(({ lastAccessTime }) => Date.parse(lastAccessTime));
  return times.length === 0 ? undefined : Math.min(...times);
}

async function startedAt(container: string): Promise<number> {
  return Date.parse(await docker(["inspect", "--format", "{{.State.StartedAt}}", container]));
}

async function untilSeen<T>(container: string, look: () => Promise<T | undefined>): Promise<T> {
  const giveUpAt = Date.now() + GIVE_UP_MS;
  for (;;) {
    const seen = await look().catch(() => undefined);
    if (seen !== undefined) return seen;
    if (Date.now() > giveUpAt) {
      throw new Failure(
        "the worker in the measured container did not begin to work",
        "its log above names the cause",
        lastLines(await docker(["logs", container])),
      );
    }
    await delay(50);
  }
}
