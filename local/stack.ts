import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { execa, type Options } from "execa";
import { stringify } from "yaml";
import { z } from "zod";
import { tools } from "../components/versions";
import type { Cluster } from "./cluster/cluster";
import { Failure, lastLines } from "./failure";
import { cache, checkout, state } from "./paths";
import { commandPath, programFolder } from "./toolchain/install";
import { programs } from "./toolchain/programs";

export const STACK = "local";
const PROJECT = "temporal-stack";

const backend = state("backend");
const passphraseFile = state("passphrase");
const settingsFile = state("settings.yaml");
export const environmentFile = state("env.sh");
export const pulumiHome = cache("pulumi-home");

/** What a shell, or a program that this one starts, needs to run Pulumi on the stack. */
export function stackEnvironment(cluster: Cluster): Record<string, string> {
  return {
    KUBECONFIG: cluster.kubeconfig,
    PATH: [programFolder(programs.pulumi), programFolder(programs.temporal), process.env["PATH"]].join(":"),
    PULUMI_BACKEND_URL: `file://${backend}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile,
    PULUMI_HOME: pulumiHome,
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    // Types are checked by `npm run typecheck`; checking them on each preview would double its time.
    PULUMI_NODEJS_TRANSPILE_ONLY: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    TEMPORAL_STACK_MACHINE_SETTINGS: settingsFile,
    ...cluster.imageEnvironment,
  };
}

/** Writes the passphrase (once), the machine's settings and the environment file of the stack. */
export async function prepareStack(cluster: Cluster): Promise<void> {
  await mkdir(backend, { recursive: true, mode: 0o700 });
  if (!existsSync(passphraseFile)) {
    await writeFile(passphraseFile, randomBytes(32).toString("base64url"), { mode: 0o600 });
  }
  await writeFile(settingsFile, stringify(cluster.settings), { mode: 0o600 });
  await writeEnvironment(stackEnvironment(cluster));
  const stacks = await pulumi(cluster, ["stack", "ls", "--json"]);
  const names = z.array(z.object({ name: z.string() })).parse(JSON.parse(stacks));
  if (!names.some(({ name }) => name === STACK)) await pulumi(cluster, ["stack", "init", STACK]);
}

/** Adds to the environment file what a Temporal client on this machine needs. */
export const writeClientEnvironment = (cluster: Cluster, client: Readonly<Record<string, string>>): Promise<void> =>
  writeEnvironment({ ...stackEnvironment(cluster), ...client });

async function writeEnvironment(variables: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`);
  await writeFile(environmentFile, `${lines.join("\n")}\n`, { mode: 0o600 });
}

/**
 * Clears what an interrupted update left behind: the lock of a process that is gone, and operations of which
 * nobody knows whether they finished.
 *
 * @returns what was cleared and why, for people to read
 */
export async function recoverStack(cluster: Cluster): Promise<string[]> {
  const reasons: string[] = [];
  for (const lock of await locks()) {
    if (isAlive(lock)) {
      throw new Failure(
        `another pulumi command works on the stack (process ${lock.pid} of ${lock.username})`,
        "wait until it ends, then run the command again",
      );
    }
    reasons.push(`the lock of process ${lock.pid}, which is gone, was removed`);
  }
  if (reasons.length > 0) await pulumi(cluster, ["cancel", "--yes", "--stack", STACK]);
  const { deployment } = checkpoint.parse(JSON.parse(await pulumi(cluster, ["stack", "export", "--stack", STACK])));
  const pending = deployment.pending_operations ?? [];
  if (pending.length > 0) {
    await pulumi(cluster, ["refresh", "--yes", "--skip-preview", "--clear-pending-creates", "--stack", STACK]);
    reasons.push(...pending.map(({ type, resource }) => `${type} of ${resource.urn} was interrupted: state refreshed`));
  }
  return reasons;
}

/** Runs `pulumi up`; each line of its progress is passed on. */
export async function updateStack(cluster: Cluster, onLine: (line: string) => void): Promise<void> {
  await pulumi(cluster, ["up", "--yes", "--skip-preview", "--stack", STACK, "--message", "npm run up"], onLine);
}

export async function destroyStack(cluster: Cluster, onLine: (line: string) => void): Promise<void> {
  await pulumi(cluster, ["destroy", "--yes", "--skip-preview", "--stack", STACK, "--remove"], onLine);
}

/** The stack's outputs. Values that are secret are masked. */
export async function stackOutputs(cluster: Cluster): Promise<StackOutputs> {
  return stackOutputsSchema.parse(JSON.parse(await pulumi(cluster, ["stack", "output", "--json", "--stack", STACK])));
}

const service = z.object({ namespace: z.string(), service: z.string(), port: z.number() });
const workerGroup = z.object({
  name: z.string(),
  namespace: z.string(),
  deployment: z.string(),
  taskQueue: z.string(),
});
const stackOutputsSchema = z.object({
  temporalFrontend: service,
  temporalUi: service,
  temporalNamespace: z.string(),
  workers: z.tuple([workerGroup], workerGroup),
  payloadKeyring: z.object({ namespace: z.string(), secret: z.string(), activeKey: z.string() }).nullable(),
});
export type StackOutputs = z.infer<typeof stackOutputsSchema>;

const checkpoint = z.object({
  deployment: z.object({
    pending_operations: z
      .array(z.object({ type: z.string(), resource: z.object({ urn: z.string() }) }))
      .nullish(),
  }),
});

const lockSchema = z.object({ pid: z.number(), username: z.string(), hostname: z.string() });

async function locks(): Promise<z.infer<typeof lockSchema>[]> {
  const folder = join(backend, ".pulumi/locks/organization", PROJECT, STACK);
  if (!existsSync(folder)) return [];
  const files = await readdir(folder);
  return Promise.all(
    files.map(async (file) => lockSchema.parse(JSON.parse(await readFile(join(folder, file), "utf8")))),
  );
}

/** A lock of another machine counts as alive: nobody here can know. */
function isAlive(lock: z.infer<typeof lockSchema>): boolean {
  if (lock.hostname !== hostname()) return true;
  try {
    process.kill(lock.pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function pulumi(
  cluster: Cluster,
  args: readonly string[],
  onLine?: (line: string) => void,
): Promise<string> {
  const options = {
    cwd: checkout,
    env: stackEnvironment(cluster),
    reject: false,
    all: true,
  } satisfies Options;
  const child = execa(commandPath(programs.pulumi), [...args, "--non-interactive", "--color", "never"], options);
  if (onLine !== undefined) for await (const line of child.iterable({ from: "all" })) onLine(line);
  const result = await child;
  if (result.failed) {
    throw new Failure(
      `pulumi ${args[0] ?? ""} failed (version ${tools.pulumi})`,
      "correct what the lines above name and run the command again: it carries on from here",
      diagnostics(result.all),
    );
  }
  return result.stdout;
}

/** The part of Pulumi's output that says what is wrong: progress lines come before it, counts after it. */
const diagnostics = (output: string): string[] =>
  lastLines(/^Diagnostics:\n([^]*?)(?=^(?:Outputs|Resources|Duration):)/m.exec(output)?.[1] ?? output, 40);

const quoted = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`;
