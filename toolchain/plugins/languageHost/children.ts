import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";

/** Time that a cancelled process has to end by itself, in milliseconds; the official host gives the same. */
const GRACE_MS = 5000;

const running = new Set<ChildProcess>();

/** Starts node; the process is interrupted by {@link interruptAll}. */
export function startNode(args: readonly string[], options: SpawnOptions): ChildProcess {
  return track(spawn(process.execPath, args, options));
}

/** Registers a process so that it is interrupted with the others. */
export function track(child: ChildProcess): ChildProcess {
  running.add(child);
  child.once("close", () => running.delete(child));
  child.once("error", () => running.delete(child));
  return child;
}

/** Interrupts one process, and kills it if it has not ended in time. */
export function interrupt(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGINT");
  const timer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  child.once("close", () => clearTimeout(timer));
}

/** Interrupts every process that was started here. */
export function interruptAll(): void {
  running.forEach(interrupt);
}

/** Finds a file of a module as the program in `directory` would. */
export function resolveFrom(directory: string, module: string): string {
  try {
    return require.resolve(module, { paths: [directory] });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND") {
      throw new Error(`${module} is not installed for ${directory}: run npm ci there`, { cause: error });
    }
    throw error;
  }
}
