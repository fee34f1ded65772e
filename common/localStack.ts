import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { tools } from "../settings/versions";
import { cache, checkout, state, toolFolder } from "./paths";

/** A cluster that `npm run up` deploys to, whoever provides it. */
export interface Cluster {
  /** For people: what kind of cluster this is and where. */
  readonly description: string;
  /** Path of the kubeconfig, and the context in it. */
  readonly kubeconfig: string;
  readonly context: string;
  /** Whether the cluster's network drops what NetworkPolicies do not allow; unknown for a cluster that was here. */
  readonly networkPolicies: "enforced" | "notEnforced" | "unknown";
  /** Environment for programs that build and push images. */
  readonly imageEnvironment: Readonly<Record<string, string>>;
  /** What only this machine knows of the program's settings: laid over `Pulumi.local.yaml`. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Who provides the cluster: the user, kind, or this machine itself. */
export type ClusterWay = "context" | "kind" | "native";

/** What `npm run up` deploys, and where to. */
export interface Target extends Cluster {
  /** Name of the stack. */
  readonly stack: string;
}

export const pulumiHome = cache("pulumi-home");
export const backendFolder = state("backend");
export const passphraseFile = state("passphrase");
/** What only this machine knows of the program's settings. */
export const machineSettingsFile = state("settings.yaml");
/** What people `source` to work on the stack by hand. */
export const environmentFile = state("env.sh");

/** The Pulumi CLI that `npm run up` provides. */
export const localPulumi = join(toolFolder("pulumi", tools.pulumi), "pulumi");
const toolFolders = [toolFolder("pulumi", tools.pulumi), toolFolder("temporal", tools.temporalCli)];

const recordFile = state("cluster.json");

const clusterSchema: z.ZodType<Cluster> = z.object({
  description: z.string(),
  kubeconfig: z.string(),
  context: z.string(),
  networkPolicies: z.enum(["enforced", "notEnforced", "unknown"]),
  imageEnvironment: z.record(z.string(), z.string()),
  settings: z.record(z.string(), z.unknown()),
});
const recordSchema = z.object({
  way: z.enum(["context", "kind", "native"]),
  stack: z.string(),
  cluster: clusterSchema.optional(),
});

/** What `npm run up` was told to deploy where; the cluster from when it runs. */
export interface LocalRecord {
  readonly way: ClusterWay;
  readonly stack: string;
  readonly cluster?: Cluster | undefined;
}

/** Remembers which cluster and stack these are: `down` and the next `up` deal with the same ones. */
export function recordCluster(record: LocalRecord): void {
  writeFileSync(recordFile, JSON.stringify(record, null, 2), { mode: 0o600 });
}

/** What was recorded; nothing after `npm run down`. */
export function recordedCluster(): LocalRecord | undefined {
  return existsSync(recordFile)
    ? recordSchema.parse(JSON.parse(readFileSync(recordFile, "utf8")))
    : undefined;
}

/** The stack that is deployed, and where; nothing before the cluster runs. */
export function recordedTarget(): Target | undefined {
  const { stack, cluster } = recordedCluster() ?? {};
  return stack === undefined || cluster === undefined ? undefined : { ...cluster, stack };
}

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

/**
 * Writes the environment for people, with what else they need. What an earlier run found out about Temporal stays until
 * it is replaced: an update that runs, or has failed, is when people look at their workflows.
 */
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
  const earlier = Object.keys(more).length === 0 ? await earlierClientLines(variables) : [];
  const text = ["unset PULUMI_CONFIG_PASSPHRASE", ...lines, ...earlier, ""].join("\n");
  await writeFile(`${environmentFile}.incomplete`, text, { mode: 0o600 });
  await rename(`${environmentFile}.incomplete`, environmentFile);
}

/** The lines of the file that is there for Temporal's clients, but for those of variables that are set anew. */
async function earlierClientLines(variables: Readonly<Record<string, string>>): Promise<string[]> {
  if (!existsSync(environmentFile)) return [];
  const text = await readFile(environmentFile, "utf8");
  const found = text.matchAll(/^export ((?:TEMPORAL|CODEC)_\w+)=(?:'[^']*'|\\')+$/gm);
  return [...found].flatMap(([line, name = ""]) =>
    name in variables || name.startsWith("TEMPORAL_STACK_") ? [] : [line],
  );
}

const quoted = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`;

/** Path of a stack's file in the checkout. */
export const stackFile = (stack: string): string => join(checkout, `Pulumi.${stack}.yaml`);

/** Takes the salt out of the checkout's stack file: the CLI writes it there on every update. */
export async function removeSalt({ stack }: { readonly stack: string }): Promise<void> {
  const file = stackFile(stack);
  if (!existsSync(file)) return;
  const text = await readFile(file, "utf8");
  const without = text.replace(/^encryptionsalt: .*\n?/m, "");
  if (without !== text) await writeFile(file, without);
}
