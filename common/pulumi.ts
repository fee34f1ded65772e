import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { execa, type Options } from "execa";
import { absolutePaths } from "./absolutePaths";
import { withoutLogin, withoutLogins } from "./backendUrl";
import { protectChild } from "./children";
import { diagnostics } from "./diagnostics";
import { Failure } from "./failure";
import { localPulumi, recordedTarget, removeSalt, stackEnvironment, type Target } from "./localStack";
import { checkout } from "./paths";
import { isHeld, locksNamed, type StackLock } from "./stackLocks";
import { UsageFailure } from "./usageFailure";

/** The Pulumi CLI, with what it needs to open one stack. */
export interface StackCli {
  readonly stack: string;
  /** For people: whose CLI and backend. */
  readonly description: string;
  /** Undefined where there is none. */
  readonly command: string | undefined;
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
  /** What it printed; empty if the lines of standard output were passed on. */
  readonly stdout: string;
  /** The last lines of standard error. */
  readonly stderr: string;
  /** The last lines of both. */
  readonly output: string;
}

/** How the Pulumi CLI is run. */
export interface CliOptions {
  /** Folder of the project file; default: the checkout. */
  readonly cwd?: string;
  /** Laid over the stack's environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Text for its standard input: the way for secrets, which must not stand among the arguments. */
  readonly input?: string;
  /** Receives each line that it prints on either stream. */
  readonly onLine?: (line: string) => void;
  /** Receives each line of standard output, which is then not kept: for output of any size. */
  readonly onOutput?: (line: string) => void;
}

const KEPT_LINES = 60;
/** A report of a large stack is larger than the default of 100 MB. */
const MAX_OUTPUT = 500_000_000;

/**
 * The CLI for a stack: for the one that `npm run up` deployed on this machine its own CLI, backend and passphrase,
 * for every other one the CLI on PATH with the environment of this shell.
 */
export function cliOf(stack: string): StackCli {
  const target = recordedTarget();
  if (target?.stack === stack) return localCli(target);
  const where = process.env["PULUMI_BACKEND_URL"];
  return {
    stack,
    description: where === undefined ? "the backend that this shell is logged in to" : withoutLogin(where),
    command: pulumiProgram(process.env["PATH"]),
    // It also runs in copies of the checkout.
    environment: absolutePaths(process.env, checkout),
    cluster: undefined,
    local: false,
  };
}

/** The CLI for what `npm run up` deploys on this machine. */
export const localCli = (target: Target): StackCli => ({
  stack: target.stack,
  description: "npm run up on this machine",
  command: localPulumi,
  // A passphrase of the user's own would win over the stack's file.
  environment: { ...stackEnvironment(target), PULUMI_CONFIG_PASSPHRASE: undefined },
  cluster: { kubeconfig: target.kubeconfig, context: target.context },
  local: true,
});

/**
 * Runs the CLI on the stack, for which `--stack` is added.
 *
 * @throws UsageFailure when there is no CLI; how the run ended is for the caller to judge
 */
export async function runCli(
  cli: StackCli,
  args: readonly string[],
  { cwd = checkout, environment = {}, input, onLine, onOutput }: CliOptions = {},
): Promise<Ended> {
  if (cli.command === undefined) throw cliFailure(cli, args, "", "ENOENT");
  const options = {
    cwd,
    env: { ...cli.environment, ...environment },
    ...(input === undefined ? { stdin: "ignore" } : { input }),
    reject: false,
    all: true,
    buffer: { stdout: onOutput === undefined, stderr: false, all: false },
    maxBuffer: MAX_OUTPUT,
  } satisfies Options;
  // Questions about the backend or the CLI, not about the stack.
  const stack = /^(whoami|version)$/.test(args[0] ?? "") ? [] : ["--stack", cli.stack];
  const command = [...args, ...stack, "--non-interactive", "--color", "never"];
  const child = execa(cli.command, command, options);
  const ended = protectChild(child);
  const [errors, lines]: [string[], string[]] = [[], []];
  try {
    await Promise.all([
      passOn(child.iterable({ from: "stderr" }), keeperOf(errors)),
      passOn(child.iterable({ from: "all" }), (line) => {
        keeperOf(lines)(line);
        onLine?.(withoutLogins(line));
      }),
      ...(onOutput === undefined ? [] : [passOn(child.iterable({ from: "stdout" }), onOutput)]),
    ]);
    const { exitCode, stdout, code } = await child;
    if (code === "ENOENT") throw cliFailure(cli, args, "", code);
    return {
      exitCode,
      stdout: typeof stdout === "string" ? stdout : "",
      stderr: errors.join("\n"),
      output: lines.join("\n"),
    };
  } catch (error) {
    child.kill();
    await child;
    throw error;
  } finally {
    ended();
    if (cli.local) await removeSalt(cli);
  }
}

function keeperOf(kept: string[]): (line: string) => void {
  return (line) => {
    kept.push(line);
    if (kept.length > KEPT_LINES) kept.shift();
  };
}

async function passOn(lines: AsyncIterable<unknown>, onLine: (line: string) => void): Promise<void> {
  for await (const line of lines) onLine(String(line));
}

/**
 * Runs the CLI on the stack and expects it to succeed.
 *
 * @returns what it printed on standard output
 * @throws Failure naming what is wrong and what to do: the stack is locked, the passphrase is wrong; UsageFailure
 *   when there is no CLI or no such stack
 */
export async function pulumi(
  cli: StackCli,
  args: readonly string[],
  options: CliOptions = {},
): Promise<string> {
  const { exitCode, stdout, stderr, output } = await runCli(cli, args, options);
  // What it printed before it failed may be the very secrets.
  if (exitCode !== 0) throw cliFailure(cli, args, args.includes("--show-secrets") ? stderr : output);
  return stdout;
}

/**
 * Runs a command of the CLI that prints JSON.
 *
 * @throws Failure as {@link pulumi}
 */
export async function pulumiJson(
  cli: StackCli,
  args: readonly string[],
  options: CliOptions = {},
): Promise<unknown> {
  // An export is JSON anyway, and knows no such flag.
  return JSON.parse(await pulumi(cli, args.includes("export") ? args : [...args, "--json"], options));
}

/**
 * The CLI itself, where it is installed: npm puts the launcher of its package `pulumi` in front of PATH, which passes
 * no signal on, so that an interrupted update would go on unseen.
 */
export function pulumiProgram(path = ""): string | undefined {
  const name = process.platform === "win32" ? "pulumi.exe" : "pulumi";
  const folders = path
    .split(delimiter)
    .filter((folder) => !/[\\/]node_modules[\\/]\.bin[\\/]?$/.test(folder));
  return folders.map((folder) => join(folder, name)).find((program) => existsSync(program));
}

function lockedFailure(stack: string, locks: readonly StackLock[]): Failure {
  const owners = locks.map(({ pid, username, hostname }) => `process ${pid} of ${username} on ${hostname}`);
  const recover = `npm run recover -- -s ${stack}`;
  // On a backend of plain files that command removes the lock; elsewhere only the CLI finds it.
  const cancel = `pulumi cancel --stack ${stack} on a backend that is no folder, then ${recover}`;
  if (locks.length > 0 && !locks.some(isHeld)) {
    return new Failure(
      `stack ${stack} is locked by ${owners.join(", ")}, which is gone; nothing was changed`,
      `${recover} removes the lock in a folder of files; ${cancel}. Then run the command again`,
    );
  }
  return new Failure(
    `another command works on stack ${stack}${owners.length === 0 ? "" : `: ${owners.join(", ")}`}`,
    `wait until it ends, then run the command again; if it was killed: ${recover}, or ${cancel}`,
  );
}

/**
 * What a failure of the CLI means.
 *
 * @param output what it printed
 * @param code of the system, such as `ENOENT`, when it could not be started
 */
export function cliFailure(
  { stack, local }: Pick<StackCli, "stack" | "local">,
  args: readonly string[],
  output: string,
  code?: string,
): Failure {
  if (code === "ENOENT") {
    return new UsageFailure(
      "the Pulumi CLI is not on PATH",
      local
        ? "npm run up provides it again"
        : "install it (https://www.pulumi.com/docs/install/); a stack that npm run up deploys needs none",
    );
  }
  const lines = diagnostics(withoutLogins(output));
  if (/incorrect passphrase|passphrase must be set/.test(output)) {
    return new Failure(
      `the secrets of stack ${stack} cannot be decrypted: the passphrase is wrong, or none is set`,
      "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE to the stack's own",
    );
  }
  if (output.includes("no stack named")) {
    return new UsageFailure(
      `there is no stack ${stack} on this backend`,
      "pulumi stack ls lists those that there are; pulumi whoami -v names the backend; npm run up deploys stack local",
    );
  }
  if (/E2BIG|argument list too long/i.test(output)) {
    return new Failure(
      `the settings of stack ${stack} are too large: the engine hands them to the program in one environment variable, for which Linux allows 128 KiB`,
      "keep certificates in a Secret or ConfigMap and name it (caFrom), then run the command again",
    );
  }
  if (output.includes("currently locked")) return lockedFailure(stack, locksNamed(output));
  const unopened = /unable to open state (?:database|store|bucket)|failed to ping PostgreSQL/.exec(output);
  if (unopened !== null) {
    return new Failure(
      "the backend that keeps the stacks cannot be opened",
      "check PULUMI_BACKEND_URL and that the backend answers; the password in it is not shown above",
      lines,
    );
  }
  return new Failure(
    `pulumi ${args[0] ?? ""} failed`,
    "correct what the lines above name and run the command again: it carries on from here",
    lines,
  );
}
