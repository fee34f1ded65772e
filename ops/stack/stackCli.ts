import { execa } from "execa";
import type { Failure } from "../../common/failure";
import { checkout } from "../../common/paths";
import { removeSalt, stackEnvironment } from "../../local/pulumi";
import { recordedTarget } from "../../local/record";
import { commandPath } from "../../toolchain/install";
import { programs } from "../../toolchain/programs";
import { withoutLogin } from "../../common/backendUrl";
import { failureOf, pulumiProgram } from "../../common/pulumi";

/** The Pulumi CLI, with what it needs to open one stack. */
export interface StackCli {
  readonly stack: string;
  /** For people: whose CLI and backend. */
  readonly description: string;
  readonly command: string;
  /** Laid over this process's environment; what is undefined is taken out of it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The kubeconfig and its context, where they are known without the stack. */
  readonly cluster: { readonly kubeconfig: string; readonly context: string } | undefined;
  /** Whether the stack is one of `npm run up`. */
  readonly local: boolean;
}

/** How a run of the CLI ended. */
export interface Ended {
  readonly exitCode: number | undefined;
  /** Empty if the lines were passed on. */
  readonly stdout: string;
  /** At most the last lines. */
  readonly stderr: string;
}

export interface CliOptions {
  /** Folder of the project file; default: the checkout. */
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Receives each line of standard output, which is then not kept. */
  readonly onLine?: (line: string) => void;
}

const STDERR_LINES = 60;

/**
 * The CLI for a stack: for the one that `npm run up` deployed on this machine its own CLI, backend and passphrase,
 * for every other one the CLI on PATH with the environment of this shell.
 */
export function cliOf(stack: string): StackCli {
  const target = recordedTarget();
  if (target?.stack !== stack) {
    const where = process.env["PULUMI_BACKEND_URL"];
    return {
      stack,
      description: where === undefined ? "the backend that this shell is logged in to" : withoutLogin(where),
      command: pulumiProgram(process.env["PATH"]),
      environment: {},
      cluster: undefined,
      local: false,
    };
  }
  return {
    stack,
    description: "npm run up on this machine",
    command: commandPath(programs.pulumi),
    // A passphrase of the user's own would win over the stack's file.
    environment: { ...stackEnvironment(target), PULUMI_CONFIG_PASSPHRASE: undefined },
    cluster: { kubeconfig: target.kubeconfig, context: target.context },
    local: true,
  };
}

/**
 * Runs the CLI on the stack, for which `--stack` is added.
 *
 * @throws Failure when there is no CLI; how the run ended is for the caller to judge
 */
export async function runCli(
  cli: StackCli,
  args: readonly string[],
  options: CliOptions = {},
): Promise<Ended> {
  const { cwd = checkout, environment = {}, onLine } = options;
  const child = execa(cli.command, [...args, "--stack", cli.stack, "--non-interactive", "--color", "never"], {
    cwd,
    env: { ...cli.environment, ...environment },
    stdin: "ignore",
    reject: false,
    buffer: { stdout: onLine === undefined, stderr: false },
    // A report of a large stack is larger than the default of 100 MB.
    maxBuffer: 500_000_000,
  });
  const errors: string[] = [];
  try {
    await Promise.all([
      collect(child.iterable({ from: "stderr" }), errors),
      ...(onLine === undefined ? [] : [passOn(child.iterable({ from: "stdout" }), onLine)]),
    ]);
  } catch (error) {
    child.kill();
    await child;
    throw error;
  }
  const { exitCode, stdout, code } = await child;
  if (cli.local) await removeSalt(cli);
  if (code === "ENOENT") throw failureOf(args, code, "");
  return { exitCode, stdout: typeof stdout === "string" ? stdout : "", stderr: errors.join("\n") };
}

async function collect(lines: AsyncIterable<unknown>, into: string[]): Promise<void> {
  for await (const line of lines) {
    into.push(String(line));
    if (into.length > STDERR_LINES) into.shift();
  }
}

async function passOn(lines: AsyncIterable<unknown>, onLine: (line: string) => void): Promise<void> {
  for await (const line of lines) onLine(String(line));
}

/**
 * Runs a command of the CLI that prints JSON.
 *
 * @throws Failure as {@link cliFailure}
 */
export async function jsonOf(
  cli: StackCli,
  args: readonly string[],
  options: CliOptions = {},
): Promise<unknown> {
  // An export is JSON anyway, and knows no such flag.
  const command = args.includes("export") ? args : [...args, "--json"];
  const { exitCode, stdout, stderr } = await runCli(cli, command, options);
  if (exitCode !== 0) throw cliFailure(cli, args, stderr);
  return JSON.parse(stdout);
}

/** Why the CLI could not do its work, and what to do about it. */
export const cliFailure = (cli: StackCli, args: readonly string[], stderr: string): Failure =>
  failureOf([...args, "--stack", cli.stack], undefined, stderr);
