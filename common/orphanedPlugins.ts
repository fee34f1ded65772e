import { readdirSync } from "node:fs";
import { join } from "node:path";
import { contents, runsAs } from "./processes";

/**
 * Ends plugins whose engine was killed: nothing else tells them that they are no longer needed. On Linux.
 * @param pulumiHome `PULUMI_HOME` of the engine
 */
export function stopOrphanedPlugins(pulumiHome: string): void {
  const folder = join(pulumiHome, "plugins");
  for (const pid of processIds()) {
    const [program] = contents(pid, "cmdline").split("\0");
    if (program?.startsWith(folder) !== true) continue;
    const parent = /^PPid:\s+(\d+)$/m.exec(contents(pid, "status"))?.[1];
    if (parent === undefined || !runsAs(Number(parent), "pulumi")) process.kill(pid, "SIGKILL");
  }
}

function processIds(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}
