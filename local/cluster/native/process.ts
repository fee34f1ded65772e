import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Failure, lastLines } from "../../../common/failure";
import { startTime } from "../../../common/processes";
import { state } from "../../../common/paths";

const POLL_MS = 100;

export interface BackgroundProcess {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env?: NodeJS.ProcessEnv;
}

const pidFile = (name: string): string => state("run", `${name}.pid`);
export const logFile = (name: string): string => state("log", `${name}.log`);

/** The id of a process that an earlier `start` began, if it still runs. */
export function runningPid(name: string): number | undefined {
  if (!existsSync(pidFile(name))) return undefined;
  const [pid, started] = readFileSync(pidFile(name), "utf8").trim().split(" ");
  const alive = pid !== undefined && started !== undefined && startTime(Number(pid)) === started;
  return alive ? Number(pid) : undefined;
}

/** Starts a process that outlives this one, unless it runs already; its output goes to its log file. */
export function start({ name, command, env }: BackgroundProcess): number {
  const running = runningPid(name);
  if (running !== undefined) return running;
  for (const file of [pidFile(name), logFile(name)])
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const log = openSync(logFile(name), "w", 0o600);
  const [program, ...args] = command;
  const child = spawn(program, args, {
    detached: true,
    stdio: ["ignore", log, log],
    env: { ...process.env, ...env },
  });
  closeSync(log);
  child.on("error", () => undefined);
  child.unref();
  if (child.pid === undefined) {
    throw new Failure(`${program} cannot be started`, `install it, or look at ${logFile(name)}`);
  }
  writeFileSync(pidFile(name), `${child.pid} ${startTime(child.pid) ?? ""}\n`, { mode: 0o600 });
  return child.pid;
}

/** Waits until a started process answers. */
export async function waitUntilReady(
  name: string,
  isReady: () => Promise<boolean>,
  timeoutSeconds: number,
): Promise<void> {
  const deadline = Date.now() + timeoutSeconds * 1_000;
  while (!(await isReady())) {
    const ended = runningPid(name) === undefined;
    if (ended || Date.now() > deadline) {
      throw new Failure(
        ended ? `${name} ended while it was starting` : `${name} is not ready after ${timeoutSeconds} s`,
        `the whole log is in ${logFile(name)}; npm run up carries on from here, npm run down starts afresh`,
        lastLines(readFileSync(logFile(name), "utf8")),
      );
    }
    await delay(POLL_MS);
  }
}

/** Stops a process by its own id and waits until it is gone: politely first, then for good. */
export async function stop(name: string, graceSeconds = 10): Promise<void> {
  const pid = runningPid(name);
  if (pid !== undefined) {
    signal(pid, "SIGTERM");
    const deadline = Date.now() + graceSeconds * 1_000;
    while (runningPid(name) !== undefined) {
      if (Date.now() > deadline) signal(pid, "SIGKILL");
      await delay(POLL_MS);
    }
  }
  rmSync(pidFile(name), { force: true });
}

/** Signals a process that may have ended since it was looked at. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
