import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { execa, type Options } from "execa";
import { diagnostics } from "../../common/diagnostics";
import { Failure } from "../../common/failure";
import { locksNamed } from "../../common/stackLocks";

/** How the Pulumi CLI is run. */
export interface CliOptions {
  readonly cwd: string;
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
export async function pulumi(args: readonly string[], { cwd, input, onLine }: CliOptions): Promise<string> {
  const options = {
    cwd,
    ...(input === undefined ? { stdin: "ignore" } : { input }),
    reject: false,
    all: true,
  } satisfies Options;
  const child = execa(
    pulumiProgram(process.env["PATH"]),
    [...args, "--non-interactive", "--color", "never"],
    options,
  );
  // A terminal sends Ctrl-C to the CLI itself, which then ends in its own time; so does whoever ends this process.
  const end = (): void => void child.kill("SIGINT");
  process.on("SIGTERM", end);
  try {
    if (onLine !== undefined) for await (const line of child.iterable({ from: "all" })) onLine(line);
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

/** What a failure of the CLI means. */
export function failureOf(args: readonly string[], code: string | undefined, output: string): Failure {
  if (code === "ENOENT") {
    return new Failure(
      "the Pulumi CLI is not on PATH",
      "install it, or for stack local: source the env.sh that npm run up names",
    );
  }
  const stack = args[args.indexOf("--stack") + 1] ?? "";
  const lines = diagnostics(output);
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
  if (output.includes("currently locked")) {
    const owners = locksNamed(output).map(
      ({ pid, username, hostname }) => `process ${pid} of ${username} on ${hostname}`,
    );
    return new Failure(
      `another command works on stack ${stack}${owners.length === 0 ? "" : `: ${owners.join(", ")}`}`,
      `wait until it ends, then run the command again; if it was killed: npm run recover -- -s ${stack}`,
    );
  }
  return new Failure(
    `pulumi ${args[0] ?? ""} failed`,
    "settle what is named above, then run the command again",
    lines,
  );
}
