import { performance } from "node:perf_hooks";
import { execa } from "execa";
import { Failure, lastLines } from "../common/failure";
import { checkout } from "../common/paths";

export interface Run {
  readonly seconds: number;
  readonly output: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** Added to this process's environment; what is undefined is taken out of it. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What to do when it fails. */
  readonly remedy: string;
}

/**
 * Runs a command to its end and takes its time.
 *
 * @throws Failure with its last lines when it does not succeed: there is no figure for that
 */
export async function timed(
  command: readonly [string, ...string[]],
  { cwd = checkout, env = {}, remedy }: RunOptions,
): Promise<Run> {
  const [program, ...args] = command;
  const started = performance.now();
  const { failed, all } = await execa(program, args, { cwd, env, stdin: "ignore", all: true, reject: false });
  const seconds = (performance.now() - started) / 1_000;
  if (failed) {
    throw new Failure(`${command.slice(0, 3).join(" ")} failed in ${cwd}`, remedy, lastLines(all));
  }
  return { seconds, output: all };
}
