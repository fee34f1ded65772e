import { Command, InvalidArgumentError, Option } from "commander";
import { timed } from "../timedRun";
import { type Figure, render } from "../table";
import { costFigures } from "./cost";
import { DevServer } from "./devServer";
import { ImageBuilds } from "./images";
import { imageSizeFigures } from "./imageSize";
import { processStartFigures } from "./processStart";
import { rebuildFigures } from "./rebuild";
import { startFigures } from "./start";
import { throughputFigures } from "./throughput";
import { measureTurns } from "./turns";
import { runCommand } from "../../common/command";

interface BenchWorkerOptions {
  readonly orders: number;
  readonly concurrency: number;
  readonly rounds: number;
  readonly starts: number;
  readonly images: boolean;
}

const command = new Command("npm run bench:worker --")
  .description("Measures the worker and its image, and prints a table.")
  .addOption(numberOption("--orders <count>", "orders of one turn", 300))
  .addOption(numberOption("--concurrency <count>", "orders at the same time", 50))
  .addOption(numberOption("--rounds <count>", "turns of each kind of worker", 5))
  .addOption(numberOption("--starts <count>", "how often each start of a container is measured", 7))
  .addOption(new Option("--no-images", "leave out what needs a container engine"));

let options: BenchWorkerOptions;
runCommand<BenchWorkerOptions>(command, (chosen) => {
  options = chosen;
  return main();
});

async function main(): Promise<void> {
  for (const step of ["build", "trace"]) {
    await timed(["npm", "--prefix", "worker", "run", "--silent", step], {
      remedy: "the lines above name the cause",
    });
  }
  const server = await DevServer.start();
  try {
    const figures = [
      ...(options.images ? await imageFigures(server) : []),
      ...(await processFigures(server)),
    ];
    console.log(`\n${render(figures)}`);
  } finally {
    await server.stop();
  }
}

async function imageFigures(server: DevServer): Promise<Figure[]> {
  const builds = new ImageBuilds();
  try {
    console.log("measuring images");
    const worker = await builds.worker("bench-worker");
    const size = await imageSizeFigures(builds, worker);
    console.log("measuring starts");
    const start = await startFigures(worker.name, server, options.starts);
    console.log("measuring a rebuild");
    return [...size, ...start, ...(await rebuildFigures(builds, worker))];
  } finally {
    await builds.remove();
  }
}

async function processFigures(server: DevServer): Promise<Figure[]> {
  console.log("measuring starts of processes");
  const start = await processStartFigures(server, options.starts);
  console.log("measuring throughput");
  const load = { orders: options.orders, concurrency: options.concurrency, rounds: options.rounds };
  const measured = await measureTurns(server, load);
  return [...start, ...throughputFigures(measured, load), ...costFigures(measured)];
}

function numberOption(flags: string, description: string, fallback: number): Option {
  return new Option(flags, description).default(fallback).argParser((text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("Give a number from 1 on.");
    return value;
  });
}
