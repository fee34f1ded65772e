import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Cluster } from "./cluster/cluster";
import { Failure } from "../common/failure";
import { stopOrphanedPlugins } from "./orphans";
import { backendFolder, pulumi, STACK } from "./pulumi";

const locksFolder = join(backendFolder, ".pulumi/locks/organization/temporal-stack", STACK);

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
export async function recoverStack(cluster: Cluster): Promise<string[]> {
  return [...(await clearLocks(cluster)), ...(await clearPendingOperations(cluster))];
}

async function clearLocks(cluster: Cluster): Promise<string[]> {
  const found = await locks();
  const living = found.find(isAlive);
  if (living !== undefined) {
    throw new Failure(
      `another pulumi command works on the stack (process ${living.pid} of ${living.username})`,
      "wait until it ends, then run the command again",
    );
  }
  if (found.length > 0) {
    stopOrphanedPlugins();
    await pulumi(cluster, ["cancel", "--yes", "--stack", STACK]);
  }
  return found.map(({ pid }) => `the lock of process ${pid}, which is gone, was removed`);
}

async function clearPendingOperations(cluster: Cluster): Promise<string[]> {
  const exported = await pulumi(cluster, ["stack", "export", "--stack", STACK]);
  const pending = checkpointSchema.parse(JSON.parse(exported)).deployment.pending_operations ?? [];
  if (pending.length === 0) return [];
  await pulumi(cluster, ["refresh", "--yes", "--skip-preview", "--clear-pending-creates", "--stack", STACK]);
  return pending.map(({ type, resource }) => `${type} of ${resource.urn} was interrupted: state refreshed`);
}

/** The locks on the stack: who holds, or held, it. */
export async function locks(): Promise<Lock[]> {
  if (!existsSync(locksFolder)) return [];
  const files = (await readdir(locksFolder)).filter((file) => file.endsWith(".json"));
  return Promise.all(
    files.map(async (file) => lockSchema.parse(JSON.parse(await readFile(join(locksFolder, file), "utf8")))),
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
