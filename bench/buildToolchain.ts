// Builds every program that a first workflow needs, in the cache folder of its environment, and prints the time
// that it took: of the clock, and of the processors in this process and all that it started and waited for.
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { describeFailure } from "../common/failure";
import { checkMachine } from "../local/preflight";
import { runSteps } from "../common/progress";
import { toolchainSteps } from "../local/toolchainSteps";
import { processorTicks } from "./ticks";

void main();

async function main(): Promise<void> {
  try {
    await checkMachine({ way: "native", buildSeconds: 2_100, ports: [] });
    const started = performance.now();
    await runSteps(toolchainSteps({ way: "native", charts: false }, "registries"));
    const wall = (performance.now() - started) / 1_000;
    // Of this process and of all that it has started and waited for.
    const ticks = processorTicks(readFileSync("/proc/self/stat", "utf8")).withDescendants;
    console.log(JSON.stringify({ wall, ticks }));
  } catch (error) {
    console.error(describeFailure(error));
    process.exitCode = 1;
  }
}
