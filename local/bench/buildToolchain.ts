// Builds every program that a first workflow needs, in the cache folder of its environment, and prints the time
// that it took: of the clock, and of the processors in this process and all that it started and waited for.
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { describeFailure } from "../../common/failure";
import { checkMachine } from "../preflight";
import { runSteps } from "../../common/progress";
import { toolchainSteps } from "../toolchain/toolchain";

void main();

async function main(): Promise<void> {
  try {
    await checkMachine({ way: "native", mustBuild: true, ports: [] });
    const started = performance.now();
    await runSteps(toolchainSteps({ way: "native", charts: false }, "registries"));
    console.log(JSON.stringify({ wall: (performance.now() - started) / 1_000, ticks: processorTicks() }));
  } catch (error) {
    console.error(describeFailure(error));
    process.exitCode = 1;
  }
}

/** User and system time of this process and of its ended descendants, in clock ticks: proc(5), fields 14 to 17. */
function processorTicks(): number {
  const stat = readFileSync("/proc/self/stat", "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
}
