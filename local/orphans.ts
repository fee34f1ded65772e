import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pulumiHome } from "./pulumi";

const pluginsFolder = join(pulumiHome, "plugins");

/** Ends plugins whose engine was killed: nothing else tells them that they are no longer needed. */
export function stopOrphanedPlugins(): void {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const [program] = contents(pid, "cmdline").split("\0");
    if (program?.startsWith(pluginsFolder) !== true) continue;
    const parent = /^PPid:\s+(\d+)$/m.exec(contents(pid, "status"))?.[1] ?? "";
    if (contents(parent, "comm").trim() !== "pulumi") process.kill(Number(pid), "SIGKILL");
  }
}

/** What the kernel says of a process; nothing if it has ended. */
function contents(pid: string, file: string): string {
  try {
    return readFileSync(join("/proc", pid, file), "utf8");
  } catch {
    return "";
  }
}
