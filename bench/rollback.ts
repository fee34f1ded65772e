import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../common/failure";
import { type Target } from "../common/localStack";
import { DEFAULT_STACK } from "../local/target";
import type { FinishedStep } from "./stepLines";
import { type Figure, median, ratio, seconds } from "./table";
import { Versions } from "./versions";

/** By issue 6. */
const LIMIT = 1.1;
/** The step of a rollback that is compared with a plain update. */
const UPDATE = "pulumi up";

/**
 * Deploys two versions of stack local in turn, which differ in worker image and settings, from a clone of the
 * checkout. Compares the way back from the second by `npm run rollback` with that by `pulumi up`, and takes the time
 * of `--worker-only`. At its end the checkout is deployed again. What stays are entries in the stack's history, and
 * the second version's image in quarantine.
 *
 * @param runs how often each is measured
 * @throws Failure when another stack is deployed than local, which may be used for this
 */
export async function rollbackFigures(target: Target, runs: number): Promise<Figure[]> {
  if (target.stack !== DEFAULT_STACK) {
    throw new Failure(
      `stack ${target.stack} is deployed, and this deploys versions that nobody has asked for`,
      "run npm run down, then npm run up, and measure again",
    );
  }
  const folder = await mkdtemp(join(tmpdir(), "temporal-stack-bench-"));
  const bench = new Versions(target, folder);
  try {
    await bench.prepare();
    return await measure(bench, runs);
  } finally {
    try {
      await bench.restore();
    } finally {
      await rm(folder, { recursive: true });
    }
  }
}

async function measure(bench: Versions, runs: number): Promise<Figure[]> {
  const plain: number[] = [];
  const rollbacks: FinishedStep[][] = [];
  for (let run = 0; run < runs; run++) {
    await bench.deploySecond();
    plain.push(await bench.deployFirst());
    await bench.deploySecond();
    rollbacks.push(await bench.rollback());
  }
  await bench.deploySecond();
  const worker = await bench.workerOnly();
  const back = medians(rollbacks);
  const own = back.find(({ title }) => title === UPDATE)?.seconds;
  if (own === undefined) throw new Error(`a rollback printed no step "${UPDATE}"`);
  const update = median(plain);
  return [
    seconds(`plain pulumi up of the same diff, median of ${runs}`, update),
    ...back.map((step) => seconds(`  rollback: ${step.title}`, step.seconds)),
    ratio("rollback's own pulumi up ÷ plain pulumi up", own / update, LIMIT),
    seconds("rollback --worker-only, until all pods are ready", worker),
  ];
}

/** Median of each step, in the order of the steps. */
const medians = (runs: readonly (readonly FinishedStep[])[]): FinishedStep[] =>
  (runs[0] ?? []).map(({ title }) => ({
    title,
    seconds: median(runs.flat().flatMap((step) => (step.title === title ? [step.seconds] : []))),
  }));
