import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import type { Cluster } from "./cluster/cluster";
import { checkout } from "./paths";
import {
  backendFolder,
  machineSettingsFile,
  passphraseFile,
  pulumi,
  STACK,
  writeEnvironmentFile,
} from "./pulumi";

/** Writes the passphrase (once) and the machine's settings, and creates the stack if it is not there. */
export async function prepareStack(cluster: Cluster): Promise<void> {
  await mkdir(backendFolder, { recursive: true, mode: 0o700 });
  if (!existsSync(passphraseFile)) {
    await writeFile(passphraseFile, randomBytes(32).toString("base64url"), { mode: 0o600 });
  }
  await writeFile(machineSettingsFile, stringify(cluster.settings), { mode: 0o600 });
  await writeEnvironmentFile(cluster);
  const stacks = stackList.parse(JSON.parse(await pulumi(cluster, ["stack", "ls", "--json"])));
  if (!stacks.some(({ name }) => name === STACK)) await initStack(cluster);
}

/**
 * Creates the stack from a folder that holds nothing but a copy of the project file: there the CLI finds no
 * stack file of the checkout to write its salt to.
 */
async function initStack(cluster: Cluster): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "temporal-stack-init-"));
  try {
    await copyFile(join(checkout, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
    await pulumi(cluster, ["stack", "init", STACK], { cwd: folder });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs `pulumi up`; each line of its progress is passed on. */
export async function updateStack(cluster: Cluster, onLine: (line: string) => void): Promise<void> {
  const message = ["--message", "npm run up"];
  await pulumi(cluster, ["up", "--yes", "--skip-preview", "--stack", STACK, ...message], { onLine });
}

/** Runs `pulumi destroy`. */
export async function destroyStack(cluster: Cluster, onLine: (line: string) => void): Promise<void> {
  await pulumi(cluster, ["destroy", "--yes", "--skip-preview", "--stack", STACK], { onLine });
}

/** The stack's outputs. Values that are secret are masked. */
export async function stackOutputs(cluster: Cluster): Promise<StackOutputs> {
  return stackOutputsSchema.parse(
    JSON.parse(await pulumi(cluster, ["stack", "output", "--json", "--stack", STACK])),
  );
}

const stackList = z.array(z.object({ name: z.string() }));
const service = z.object({ namespace: z.string(), service: z.string(), port: z.number() });
const workerGroup = z.object({
  name: z.string(),
  namespace: z.string(),
  deployment: z.string(),
  taskQueues: z.tuple([z.string()], z.string()),
});
const stackOutputsSchema = z.object({
  temporalFrontend: service.nullable(),
  temporalUi: service.nullable(),
  temporalNamespace: z.string(),
  workers: z.tuple([workerGroup], workerGroup),
  payloadKeyring: z.object({ namespace: z.string(), secret: z.string(), activeKey: z.string() }).nullable(),
});
export type StackOutputs = z.infer<typeof stackOutputsSchema>;
