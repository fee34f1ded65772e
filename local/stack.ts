import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { exportedStack } from "../common/exportedStack";
import { checkout } from "../common/paths";
import {
  backendFolder,
  machineSettingsFile,
  passphraseFile,
  type Target,
  writeEnvironmentFile,
} from "../common/localStack";
import { localCli, pulumi, pulumiJson } from "../common/pulumi";
import { requireOwnSecrets } from "./target";

/** Writes the passphrase (once) and the machine's settings, and creates the stack if it is not there. */
export async function prepareStack(target: Target): Promise<void> {
  const { stack, settings } = target;
  await mkdir(backendFolder, { recursive: true, mode: 0o700 });
  if (!existsSync(passphraseFile)) {
    await writeFile(passphraseFile, randomBytes(32).toString("base64url"), { mode: 0o600 });
  }
  await writeFile(machineSettingsFile, stringify({ stack, settings }), { mode: 0o600 });
  await writeEnvironmentFile(target);
  if (await exists(target)) requireOwnSecrets(stack, await saltOf(target));
  else {
    requireOwnSecrets(stack, undefined);
    await initStack(target);
  }
}

/** The salt with which this machine's passphrase opens the stack. */
async function saltOf(target: Target): Promise<string | undefined> {
  const exported = await pulumiJson(localCli(target), ["stack", "export"]);
  return exportedStack(exported).salt;
}

/**
 * Creates the stack from a folder that holds nothing but a copy of the project file: there the CLI finds no
 * stack file of the checkout to write its salt to.
 */
async function initStack(target: Target): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "temporal-stack-init-"));
  try {
    await copyFile(join(checkout, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
    await pulumi(localCli(target), ["stack", "init"], { cwd: folder });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs `pulumi up`; each line of its progress is passed on. */
export async function updateStack(target: Target, onLine: (line: string) => void): Promise<void> {
  const args = ["up", "--yes", "--skip-preview", "--message", "npm run up"];
  await pulumi(localCli(target), args, { onLine });
}

async function exists(target: Target): Promise<boolean> {
  const stacks = stackList.parse(await pulumiJson(localCli(target), ["stack", "ls"]));
  return stacks.some(({ name }) => name === target.stack);
}

/**
 * Runs `pulumi destroy`; a stack that an early failure kept from being created has nothing to destroy.
 * @param allowed told what `pulumi stack export` prints; throws when the stack must stay
 */
export async function destroyStack(
  target: Target,
  onLine: (line: string) => void,
  allowed: (exported: unknown) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  if (!existsSync(backendFolder) || !(await exists(target))) return;
  await allowed(await pulumiJson(localCli(target), ["stack", "export"]));
  await pulumi(localCli(target), ["destroy", "--yes", "--skip-preview"], { onLine });
}

const stackList = z.array(z.object({ name: z.string() }));
