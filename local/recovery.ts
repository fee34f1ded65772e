import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { Failure } from "../common/failure";
import { stopOrphanedPlugins } from "./orphans";
import { backendFolder, pulumi } from "./pulumi";
import type { Target } from "./target";

const locksFolder = (stack: string): string =>
  join(backendFolder, ".pulumi/locks/organization/temporal-stack", stack);

const lockSchema = z.object({ pid: z.number(), username: z.string(), hostname: z.string() });
type Lock = z.infer<typeof lockSchema>;

const checkpointSchema = z.object({
  deployment: z.object({
    pending_operations: z
      .array(z.object({ type: z.string(), resource: z.object({ urn: z.string() }) }))
      .nullish(),
  }),
});

/**
 * Clears what an interrupted update left behind: the lock of a process that is gone, and operations of which
 * nobody knows whether they finished.
 *
 * @returns what was cleared and why, for people to read
 * @throws Failure when another process works on the stack
 */
export async function recoverStack(target: Target): Promise<string[]> {
  return [...(await clearLocks(target)), ...(await clearPendingOperations(target))];
}

async function clearLocks(target: Target): Promise<string[]> {
  const found = await locks(target.stack);
  const living = found.find(isAlive);
  if (living !== undefined) {
    throw new Failure(
      `another pulumi command works on the stack (process ${living.pid} of ${living.username})`,
      "wait until it ends, then run the command again",
    );
  }
  if (found.length > 0) {
    stopOrphanedPlugins();
    await pulumi(target, ["cancel", "--yes", "--stack", target.stack]);
  }
  return found.map(({ pid }) => `the lock of process ${pid}, which is gone, was removed`);
}

async function clearPendingOperations(target: Target): Promise<string[]> {
  const stack = ["--stack", target.stack];
  const exported = await pulumi(target, ["stack", "export", ...stack]);
  const pending = checkpointSchema.parse(JSON.parse(exported)).deployment.pending_operations ?? [];
  if (pending.length === 0) return [];
  await pulumi(target, ["refresh", "--yes", "--skip-preview", "--clear-pending-creates", ...stack]);
  return pending.map(({ type, resource }) => `${type} of ${resource.urn} was interrupted: state refreshed`);
}

/** The locks on a stack: who holds, or held, it. */
export async function locks(stack: string): Promise<Lock[]> {
  const folder = locksFolder(stack);
  if (!existsSync(folder)) return [];
  const files = (await readdir(folder)).filter((file) => file.endsWith(".json"));
  return Promise.all(
    files.map(async (file) => lockSchema.parse(JSON.parse(await readFile(join(folder, file), "utf8")))),
  );
}

/**
 * Whether the lock's owner still runs. A lock of another machine counts as alive: nobody here can know. The
 * number of a process is used again after a reboot: so its name counts, too.
 */
function isAlive(lock: Lock): boolean {
  if (lock.hostname !== hostname()) return true;
  const name = `/proc/${lock.pid}/comm`;
  return existsSync(name) && readFileSync(name, "utf8").trim() === "pulumi";
}
