import { Failure } from "../common/failure";
import { stopOrphanedPlugins } from "../common/orphanedPlugins";
import { CLEAR_PENDING_OPERATIONS, pendingOperations } from "../common/pendingOperations";
import { isHeld, type StackLock, stackLocks } from "../common/stackLocks";
import { forgetRevision, helmReleases, stuckReleases } from "../common/stuckReleases";
import { RELEASE_NAMES } from "../components/manifests/chartSource";
import { kubeConfigOf } from "./cluster/clusterAccess";
import { backendFolder, pulumiHome, type Target } from "../common/localStack";
import { localCli, pulumi, pulumiJson } from "../common/pulumi";

/**
 * Clears what an interrupted update left behind: the lock of a process that is gone, Helm releases that wait for
 * a Helm that is gone, and operations of which nobody knows whether they finished.
 *
 * @returns what was cleared and why, for people to read
 * @throws Failure when another process works on the stack
 */
export async function recoverStack(target: Target): Promise<string[]> {
  const locks = await clearLocks(target);
  const exported = await pulumiJson(localCli(target), ["stack", "export"]);
  const releases = await forgetStuckRevisions(target, exported);
  const pending = pendingOperations(exported);
  if (pending.length > 0 || releases.length > 0) {
    // Last, as it takes the interrupted creations, which name releases, out of the state. What Helm was at is in the
    // state, too, as the provider last heard of it.
    await pulumi(localCli(target), CLEAR_PENDING_OPERATIONS);
  }
  return [
    ...locks,
    ...releases,
    ...pending.map(({ type, urn }) => `${type} of ${urn} was interrupted: state refreshed`),
  ];
}

async function forgetStuckRevisions(target: Target, exported: unknown): Promise<string[]> {
  const releases = helmReleases(exported, RELEASE_NAMES);
  if (releases.length === 0) return [];
  const config = kubeConfigOf(target);
  const stuck = await stuckReleases(config, releases);
  for (const release of stuck) await forgetRevision(config, release);
  return stuck.map(
    ({ namespace, name, status, revision }) =>
      `Helm release ${namespace}/${name} was ${status}: revision ${revision} was forgotten`,
  );
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
  // A lock that somebody removed already is no sign that its Helm has ended.
  stopOrphanedPlugins(pulumiHome);
  if (found.length > 0) {
    await pulumi(localCli(target), ["cancel", "--yes"]);
  }
  return found.map(({ pid }) => `the lock of process ${pid}, which is gone, was removed`);
}

/** The locks on a stack: who holds, or held, it. */
export const locks = (stack: string): Promise<StackLock[]> =>
  stackLocks(backendFolder, "temporal-stack", stack);
