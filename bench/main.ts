import { Command, Option } from "commander";
import { coldToolchainFigures } from "./coldToolchain";
import { positiveInteger } from "./positiveInteger";
import { policyFigures } from "./policies";
import { previewFigures } from "./preview";
import { prodFigures } from "./prod/figures";
import { reportFigures } from "./reportFigures";
import { rollbackFigures } from "./rollback";
import { timed } from "./timedRun";
import { type Figure, render, seconds } from "./table";
import { warmUpFigures } from "./warmUp";
import { workerGroupFigures } from "./workerGroups";
import { runCommand } from "../common/command";
import { Failure } from "../common/failure";
import { recordedTarget } from "../common/localStack";
import type { Target } from "../common/localStack";

/** By issue 3. */
const TEST_LIMIT_SECONDS = 15;

interface BenchOptions {
  readonly runs: number;
  readonly up?: boolean;
  readonly cold?: boolean;
  readonly rollback?: boolean;
  readonly prod?: boolean;
}

const command = new Command("npm run bench --")
  .description("Measures what this project promises about its speed, and prints a table.")
  .addOption(
    new Option("--runs <count>", "how often each preview is measured").default(5).argParser(positiveInteger),
  )
  .addOption(new Option("--up", "also stop the cluster, start it again and take the time"))
  .addOption(new Option("--cold", "also build every program from an empty cache (half an hour, 26 GiB)"))
  .addOption(
    new Option(
      "--rollback",
      "also deploy a second version to stack local, and go back: leaves entries in its history",
    ),
  )
  .addOption(
    new Option(
      "--prod",
      "also start a cluster of its own, measure stacks prod and dev on it, and stop it (needs root, and no other cluster)",
    ).conflicts(["up", "rollback"]),
  );

let options: BenchOptions;
runCommand<BenchOptions>(command, (chosen) => {
  options = chosen;
  return main();
});

async function main(): Promise<void> {
  // Before half an hour of builds, not after it.
  if (options.up !== true && options.prod !== true) deployed();
  const figures: Figure[] = [];
  try {
    for (const [name, work] of measurements()) {
      console.log(`measuring ${name}`);
      for await (const found of work()) figures.push(...found);
    }
  } finally {
    // Also those that were measured before one that failed.
    if (figures.length > 0) console.log(`\n${render(figures)}`);
  }
}

/** What is measured, and how: figures as they are found. */
type Measurement = readonly [name: string, work: () => AsyncIterable<Figure[]> | [Promise<Figure[]>]];

function measurements(): Measurement[] {
  return [
    ...asked(options.cold, ["cold toolchain", () => [coldToolchainFigures()]]),
    ...asked(options.up, ["warm npm run up", () => [warmUpFigures()]]),
    options.prod === true
      ? ["stacks prod and dev", () => prodFigures(options.runs)]
      : ["pulumi preview", () => [preview()]],
    ...asked(options.rollback, ["rollback", () => [rollback()]]),
    ["policy pack", () => [policyFigures(options.runs)]],
    ["worker groups", () => [workerGroupFigures(options.runs)]],
    ["preview report", () => [reportFigures()]],
    ["npm test", () => [tests()]],
  ];
}

function asked(option: boolean | undefined, measurement: Measurement): Measurement[] {
  return option === true ? [measurement] : [];
}

function preview(): Promise<Figure[]> {
  return previewFigures(deployed(), options.runs);
}

function rollback(): Promise<Figure[]> {
  return rollbackFigures(deployed(), options.runs);
}

function deployed(): Target {
  const target = recordedTarget();
  if (target !== undefined) return target;
  throw new Failure("there is no stack to measure yet", "run npm run up first, or npm run bench -- --up");
}

async function tests(): Promise<Figure[]> {
  const run = await timed(["npm", "test"], { remedy: "npm test has to pass before its time counts" });
  return [seconds("npm test", run.seconds, TEST_LIMIT_SECONDS)];
}
