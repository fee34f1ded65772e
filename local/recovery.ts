import { Failure } from "../common/failure";
import { stopOrphanedPlugins } from "../common/orphanedPlugins";
import { CLEAR_PENDING_OPERATIONS, pendingOperations } from "../common/pendingOperations";
import { isHeld, type StackLock, stackLocks } from "../common/stackLocks";
import { backendFolder, pulumi, pulumiHome } from "./pulumi";
import type { Target } from "./target";

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
  const living = found.find(isHeld);
  if (living !== undefined) {
    throw new Failure(
      `another pulumi command works on the stack (process ${living.pid} of ${living.username})`,
      "wait until it ends, then run the command again",
    );
  }
  if (found.length > 0) {
    stopOrphanedPlugins(pulumiHome);
    await pulumi(target, ["cancel", "--yes", "--stack", target.stack]);
  }
  return found.map(({ pid }) => `the lock of process ${pid}, which is gone, was removed`);
}

async function clearPendingOperations(target: Target): Promise<string[]> {
  const stack = ["--stack", target.stack];
  const exported = await pulumi(target, ["stack", "export", ...stack]);
  const pending = pendingOperations.parse(JSON.parse(exported));
  if (pending.length === 0) return [];
  await pulumi(target, [...CLEAR_PENDING_OPERATIONS, ...stack]);
  return pending.map(({ type, urn }) => `${type} of ${urn} was interrupted: state refreshed`);
}

/** The locks on a stack: who holds, or held, it. */
export const locks = (stack: string): Promise<StackLock[]> =>
  stackLocks(backendFolder, "temporal-stack", stack);
