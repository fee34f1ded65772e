import { readFileSync } from "node:fs";
import { execa } from "execa";
import { runningPid, start, stop, waitUntilReady } from "./process";

/**
 * A set of Linux namespaces held open by one process. Everything that runs inside is a descendant of that
 * process: when it ends, the kernel ends them all and takes their mounts, network interfaces and packet
 * filter rules with it, also after a crash.
 */
export interface Sandbox {
  readonly name: string;
  readonly namespaces: readonly Namespace[];
}

type Namespace = "pid" | "mount" | "net";

/** The first process of the namespaces: it does nothing but reap the children of processes that ended. */
const INIT = ["catatonit", "-P"];

/** Opens the namespaces, unless they are open. */
export async function open(sandbox: Sandbox): Promise<void> {
  const unshare = sandbox.namespaces.map((namespace) => `--${namespace}`);
  start({
    name: sandbox.name,
    command: ["unshare", ...unshare, "--mount-proc", "--fork", "--kill-child", ...INIT],
  });
  await waitUntilReady(
    sandbox.name,
    () => Promise.resolve(initPid(sandbox) !== undefined && hasStarted(sandbox)),
    10,
  );
}

/**
 * Ends every process of the namespaces, and with them what they mounted and configured. There is nothing to
 * be polite for: the holder ignores SIGTERM, and the kernel ends the others with it.
 */
export const close = (sandbox: Sandbox): Promise<void> => stop(sandbox.name, 0);

/** The words to put before a command so that it runs inside. */
export function enter(sandbox: Sandbox): readonly [string, ...string[]] {
  const pid = initPid(sandbox);
  if (pid === undefined) throw new Error(`sandbox ${sandbox.name} is not open`);
  return [
    "nsenter",
    "--target",
    String(pid),
    ...sandbox.namespaces.map((namespace) => `--${namespace}`),
    "--",
  ];
}

/** Runs a command inside to its end. */
export async function runInside(sandbox: Sandbox, command: readonly string[]): Promise<void> {
  const [program, ...args] = [...enter(sandbox), ...command];
  await execa(program, args);
}

/** The id, as seen from outside, of the first process inside. */
export function initPid(sandbox: Sandbox): number | undefined {
  const holder = runningPid(sandbox.name);
  if (holder === undefined) return undefined;
  const [child] = readFileSync(`/proc/${holder}/task/${holder}/children`, "utf8").trim().split(" ");
  return child === undefined || child === "" ? undefined : Number(child);
}

/** Until the first process is executed, `unshare` is still at work on the namespaces. */
function hasStarted(sandbox: Sandbox): boolean {
  const pid = initPid(sandbox);
  return pid !== undefined && readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0] === INIT[0];
}
