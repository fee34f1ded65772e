import { existsSync, readFileSync } from "node:fs";

/** What the kernel says of a process; nothing if it has ended, or on another system than Linux. */
export function contents(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

/**
 * When a process was started, in whatever unit the system counts; undefined if it has ended. With its id it names
 * a process for good: ids are used again, above all after a reboot.
 */
export function startTime(pid: number): string | undefined {
  if (!existsSync("/proc/self/stat")) return runs(pid) ? "unknown" : undefined;
  const fields = contents(pid, "stat");
  const afterCommand = fields.slice(fields.lastIndexOf(")") + 2).split(" ");
  const [processState] = afterCommand;
  return processState === "Z" ? undefined : afterCommand[19];
}

/**
 * Whether a process runs that has this name; where the system does not tell names, whether any has this id. One that
 * has ended keeps its name until its parent has asked for its end.
 */
export function runsAs(pid: number, name: string): boolean {
  if (!existsSync("/proc/self/comm")) return runs(pid);
  return startTime(pid) !== undefined && contents(pid, "comm").trim() === name;
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It runs, and belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
