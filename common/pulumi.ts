import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { execa, type Options } from "execa";
import { diagnostics } from "./diagnostics";
import { Failure } from "./failure";
import { isHeld, locksNamed, type StackLock } from "./stackLocks";
import { withoutLogins } from "./backendUrl";

/** How the Pulumi CLI is run. */
export interface CliOptions {
  readonly cwd: string;
  /** Laid over this process's environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Text for its standard input: the way for secrets, which must not stand among the arguments. */
  readonly input?: string;
  /** Receives each line that it prints. */
  readonly onLine?: (line: string) => void;
}

/**
 * Runs the Pulumi CLI of this shell: its login, its passphrase.
 *
 * @returns what it printed
 * @throws Failure naming what is wrong and what to do; what it means when the stack is locked, the passphrase is
 *   wrong, or there is no such stack
 */
export async function pulumi(args: readonly string[], options: CliOptions): Promise<string> {
  const { cwd, environment = {}, input, onLine } = options;
  const childOptions = {
    cwd,
    env: environment,
    ...(input === undefined ? { stdin: "ignore" } : { input }),
    reject: false,
    all: true,
  } satisfies Options;
  const child = execa(
    pulumiProgram(process.env["PATH"]),
    [...args, "--non-interactive", "--color", "never"],
    childOptions,
  );
  // A terminal sends Ctrl-C to the CLI itself, which then ends in its own time; so does whoever ends this process.
  const end = (): void => void child.kill("SIGINT");
  process.on("SIGTERM", end);
  try {
    if (onLine !== undefined) {
      for await (const line of child.iterable({ from: "all" })) onLine(withoutLogins(line));
    }
    const { failed, stdout, stderr, all, code } = await child;
    // What it printed before it failed may be the very secrets.
    if (failed) throw failureOf(args, code, args.includes("--show-secrets") ? stderr : all);
    return stdout;
  } finally {
    process.off("SIGTERM", end);
  }
}

/**
 * The CLI itself, where it is installed: npm puts the launcher of its package `pulumi` in front of PATH, which passes
 * no signal on, so that an interrupted update would go on unseen.
 */
export function pulumiProgram(path = ""): string {
  const name = process.platform === "win32" ? "pulumi.exe" : "pulumi";
  const folders = path
    .split(delimiter)
    .filter((folder) => !/[\\/]node_modules[\\/]\.bin[\\/]?$/.test(folder));
  return folders.map((folder) => join(folder, name)).find((program) => existsSync(program)) ?? "pulumi";
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

/** What a failure of the CLI means. */
export function failureOf(args: readonly string[], code: string | undefined, output: string): Failure {
  if (code === "ENOENT") {
    return new Failure(
      "the Pulumi CLI is not on PATH",
      "install it, or for stack local: source the env.sh that npm run up names",
    );
  }
  const stack = args[args.indexOf("--stack") + 1] ?? "";
  const lines = diagnostics(withoutLogins(output));
  if (/incorrect passphrase|passphrase must be set/.test(output)) {
    return new Failure(
      `the secrets of stack ${stack} cannot be opened: the passphrase is wrong, or none is set`,
      "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE to the stack's own (for stack local: source the env.sh that npm run up names)",
    );
  }
  if (output.includes("no stack named")) {
    return new Failure(
      `there is no stack ${stack} on this backend`,
      "pulumi stack ls lists those that there are; pulumi whoami -v names the backend (for stack local: source the env.sh that npm run up names)",
    );
  }
  if (output.includes("currently locked")) return lockedFailure(stack, locksNamed(output));
  const unopened = /unable to open state (?:database|store|bucket)|failed to ping PostgreSQL/.exec(output);
  if (unopened !== null) {
    return new Failure(
      "the backend that keeps the stacks cannot be opened",
      "see that PULUMI_BACKEND_URL is right and that the backend answers; the password in it is not shown above",
      lines,
    );
  }
  return new Failure(
    `pulumi ${args[0] ?? ""} failed`,
    "settle what is named above, then run the command again",
    lines,
  );
}
