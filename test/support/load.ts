import { setTimeout as delay } from "node:timers/promises";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { Failure, lastLines } from "../../common/failure";
import { checkout } from "../../common/paths";

const PAUSE_MS = 300;
const PATIENCE_MS = 120_000;

/** What came of one attempt to start orders. */
export interface Started {
  /** Ids of the workflows whose start was acknowledged. */
  readonly workflowIds: readonly string[];
  /** What the client said, when not all of them were. */
  readonly refusal?: readonly string[];
}

/** What came of a load. */
export interface LoadResult {
  /** Ids of the workflows whose start was acknowledged. */
  readonly accepted: readonly string[];
  /** Starts that were refused. */
  readonly refused: number;
  /** Longest time from one acknowledged start to the next, in milliseconds. */
  readonly longestGapMs: number;
}

/**
 * Starts orders one after the other for as long as some work takes, and on until one more was acknowledged: within
 * two minutes after the work.
 *
 * @param start starts an order; refusals are told, not thrown
 * @throws Failure when no order can be started any more
 */
export async function underLoad(
  start: () => Promise<Started>,
  work: () => Promise<void>,
): Promise<LoadResult> {
  const accepted: string[] = [];
  let refused = 0;
  let longestGapMs = 0;
  let giveUpAt = Infinity;
  const startOrders = async (): Promise<void> => {
    let lastSuccess = Date.now();
    for (;;) {
      const { workflowIds, refusal } = await start();
      accepted.push(...workflowIds);
      if (refusal === undefined) {
        longestGapMs = Math.max(longestGapMs, Date.now() - lastSuccess);
        lastSuccess = Date.now();
        if (giveUpAt !== Infinity) return;
      } else refused++;
      if (Date.now() >= giveUpAt) {
        throw new Failure(
          `no order can be started any more; ${refused} were refused`,
          "look at the server's pods in namespace temporal",
          refusal,
        );
      }
      await delay(PAUSE_MS);
    }
  };
  const load = startOrders();
  try {
    await work();
  } finally {
    giveUpAt = Date.now() + PATIENCE_MS;
    await load;
  }
  return { accepted, refused, longestGapMs };
}

const startedSchema = z.object({ workflowId: z.string() });

/**
 * Starts one order, and waits for no more than that the start is acknowledged.
 *
 * @param environment of the client, laid over that of this process
 * @param folder of the checkout whose client starts it; default: this one
 * @returns what was acknowledged; a refusal is told, not thrown
 */
export async function startOrder(environment: NodeJS.ProcessEnv, folder = checkout): Promise<Started> {
  const { exitCode, stdout, stderr } = await execa(
    "npm",
    ["run", "--silent", "order", "--", "--json", "--start-only"],
    { cwd: join(folder, "worker"), env: environment, reject: false },
  );
  const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
  const workflowIds = lines.map((line) => startedSchema.parse(JSON.parse(line)).workflowId);
  return exitCode === 0 ? { workflowIds } : { workflowIds, refusal: lastLines(stderr) };
}
