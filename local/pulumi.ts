import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { execa, type Options } from "execa";
import { tools } from "../settings/versions";
import { Failure } from "../common/failure";
import { diagnostics } from "../common/diagnostics";
import { cache, checkout, state } from "../common/paths";
import { stackFile, type Target } from "./target";
import { commandPath, programFolder } from "../toolchain/install";
import { programs } from "../toolchain/programs";

export const pulumiHome = cache("pulumi-home");
export const backendFolder = state("backend");
export const passphraseFile = state("passphrase");
/** What only this machine knows of the program's settings. */
export const machineSettingsFile = state("settings.yaml");
/** What people `source` to work on the stack by hand. */
export const environmentFile = state("env.sh");

const toolFolders = [programs.pulumi, programs.temporal].map(programFolder);

/** What a shell, or a program that this one starts, needs to run Pulumi on the stack. */
export function stackEnvironment(target: Target): Record<string, string> {
  return {
    KUBECONFIG: target.kubeconfig,
    PATH: [...toolFolders, process.env["PATH"]].join(":"),
    PULUMI_BACKEND_URL: `file://${backendFolder}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile,
    PULUMI_HOME: pulumiHome,
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    // The salt is kept in the stack's state: the passphrase is this machine's, the stack file everybody's.
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    TEMPORAL_STACK_MACHINE_SETTINGS: machineSettingsFile,
    ...target.imageEnvironment,
  };
}

/** Writes the environment for people, with what else they need. */
export async function writeEnvironmentFile(
  target: Target,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const variables = { ...stackEnvironment(target), ...more };
  const lines = Object.entries(variables).map(([name, value]) =>
    name === "PATH"
      ? `export PATH=${quoted(toolFolders.join(":"))}:"$PATH"`
      : `export ${name}=${quoted(value)}`,
  );
  const text = ["unset PULUMI_CONFIG_PASSPHRASE", ...lines, ""].join("\n");
  await writeFile(environmentFile, text, { mode: 0o600 });
}

export interface PulumiOptions {
  /** Folder of the project file; default: the checkout. */
  readonly cwd?: string;
  /** Receives each line of progress. */
  readonly onLine?: (line: string) => void;
}

/**
 * Runs the Pulumi CLI on the machine's own backend and returns what it printed.
 *
 * @throws Failure with Pulumi's diagnostics
 */
export async function pulumi(
  target: Target,
  args: readonly string[],
  { cwd = checkout, onLine }: PulumiOptions = {},
): Promise<string> {
  // A passphrase of the user's own would win over the stack's file.
  const env = { ...stackEnvironment(target), PULUMI_CONFIG_PASSPHRASE: undefined };
  const options = { cwd, env, reject: false, all: true } satisfies Options;
  const command = [...args, "--non-interactive", "--color", "never"];
  const child = execa(commandPath(programs.pulumi), command, options);
  if (onLine !== undefined) for await (const line of child.iterable({ from: "all" })) onLine(line);
  const result = await child;
  await removeSalt(target);
  if (result.failed) {
    throw new Failure(
      `pulumi ${args[0] ?? ""} failed (version ${tools.pulumi})`,
      "correct what the lines above name and run the command again: it carries on from here",
      diagnostics(result.all),
    );
  }
  return result.stdout;
}

/** Takes the salt out of the checkout's stack file: the CLI writes it there on every update. */
export async function removeSalt({ stack }: Pick<Target, "stack">): Promise<void> {
  const file = stackFile(stack);
  if (!existsSync(file)) return;
  const text = await readFile(file, "utf8");
  const without = text.replace(/^encryptionsalt: .*\n?/m, "");
  if (without !== text) await writeFile(file, without);
}

const quoted = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`;
