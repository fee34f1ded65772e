import { homedir } from "node:os";
import { join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { confirm } from "../../common/confirm";
import { Failure } from "../../common/failure";
import { stopOrphanedPlugins } from "../../common/orphanedPlugins";
import { CLEAR_PENDING_OPERATIONS } from "../../common/pendingOperations";
import { runSteps, step } from "../../common/progress";
import { isHeld, type StackLock } from "../../common/stackLocks";
import { kubeConfigOf, requireCluster } from "../stack/kubeConfig";
import { readState, type StackState } from "../stack/state";
import { checkout as ownCheckout } from "../../common/paths";
import { askPulumi, withWorkspace, type Workspace } from "../stack/workspace";
import { forgetRevision, type StuckRelease, stuckReleases } from "../../common/stuckReleases";
import { locksOf, ownerOf } from "./locks";

/** What a user asks of a recovery. */
export interface RecoverOptions {
  readonly stack: string;
  readonly yes?: boolean;
}

/** What an interrupted update left behind. */
interface Findings {
  /** Undefined where the backend does not show locks. */
  readonly locks: readonly StackLock[] | undefined;
  readonly stuck: readonly StuckRelease[];
  readonly pending: StackState["pending"];
  /** Why the cluster could not be asked; then nothing in it can be resolved. */
  readonly unreachable?: string | undefined;
}

/**
 * Shows what an interrupted update left behind, and resolves it on confirmation.
 *
 * @throws Failure when somebody works on the stack, or something cannot be resolved
 */
export async function recover(
  { stack, yes }: RecoverOptions,
  signal: AbortSignal,
  checkout = ownCheckout,
): Promise<void> {
  await withWorkspace(
    stack,
    async (workspace) => {
      const locks = await locksOf(workspace);
      const held = locks?.find(isHeld);
      if (held !== undefined) {
        throw new Failure(
          `stack ${stack} is being worked on by ${ownerOf(held)}; nothing was changed`,
          `wait until it ends. If that process is gone for sure, on a machine that cannot be seen from here: pulumi cancel --stack ${stack}, then run the command again`,
        );
      }
      const state = await readState(workspace);
      const findings = { locks, pending: state.pending, ...(await lookInCluster(workspace, state)) };
      const lines = describeFindings(findings, Date.now());
      console.log(lines.join("\n"));
      if (!isAnything(findings)) return;
      signal.throwIfAborted();
      if (yes !== true && !(await confirm("Settle this?", signal))) {
        console.log("nothing was changed");
        return;
      }
      await resolveAll(workspace, findings, async () => {
        const config = await kubeConfigOf(workspace.cli, state.kubernetesContext);
        // Looked at again: until its plugins were stopped, an interrupted Helm may have gone on.
        for (const release of await stuckReleases(config, state.helmReleases)) {
          await forgetRevision(config, release);
        }
      });
      if (findings.unreachable !== undefined && state.pending.length > 0) {
        throw new Failure(
          `stack ${stack} is not recovered yet: ${findings.unreachable}`,
          "run the command again when the cluster answers",
        );
      }
      console.log(`\nstack ${stack} is recovered; run the command that was interrupted again`);
    },
    checkout,
  );
}

/** A stack without anything in the cluster needs none: such as one whose first update never began. */
async function lookInCluster(
  { cli }: Workspace,
  state: StackState,
): Promise<Pick<Findings, "stuck" | "unreachable">> {
  const { helmReleases, pending } = state;
  if (helmReleases.length === 0 && pending.length === 0) return { stuck: [] };
  let config: KubeConfig;
  try {
    config = await kubeConfigOf(cli, state.kubernetesContext);
    await requireCluster(config);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { stuck: [], unreachable: [error.message, ...error.details].join(": ") };
  }
  return { stuck: await stuckReleases(config, helmReleases) };
}

const isAnything = ({ locks, stuck, pending }: Findings): boolean =>
  (locks ?? []).length > 0 || stuck.length > 0 || pending.length > 0;

/** For people: what was found and what would be done. */
export function describeFindings(findings: Findings, now: number): string[] {
  const { locks, stuck, pending, unreachable } = findings;
  const unseen =
    locks === undefined
      ? [
          "whether somebody holds the stack's lock cannot be seen on this backend: be sure that no update runs, in CI either.",
          "A lock that is left is named by the next update; pulumi cancel removes it.",
        ]
      : [];
  const unknown =
    unreachable === undefined
      ? []
      : [
          unreachable,
          "so nobody knows whether Helm releases are stuck, and only a lock can be removed: run the command again when it answers",
        ];
  if (!isAnything(findings)) {
    return [
      ...unseen,
      ...(unknown.length > 0
        ? unknown
        : [`nothing ${locks === undefined ? "else " : ""}was left behind by an interrupted update`]),
    ];
  }
  return [
    ...unseen,
    ...unknown,
    ...(locks ?? []).map((lock) => `lock of ${ownerOf(lock)}, which is gone: remove it`),
    ...stuck.map(({ namespace, name, status, revision, created }) => {
      const age = created === undefined ? "" : `, for ${Math.round((now - created.getTime()) / 60_000)} min`;
      const known = status.startsWith("pending-")
        ? "forget that revision"
        : "the state knows nothing of it: forget that revision, and the next update installs over its objects";
      return `Helm release ${namespace}/${name} is ${status} at revision ${revision}${age}: ${known}`;
    }),
    ...pending.map(
      ({ type, urn }) => `${type} of ${urn} was interrupted: look in the cluster what became of it`,
    ),
  ];
}

async function resolveAll(
  workspace: Workspace,
  { locks = [], stuck, pending, unreachable }: Findings,
  forgetStuck: () => Promise<void>,
): Promise<void> {
  // A lock that somebody removed already is no sign that its plugins have ended.
  stopOrphanedPlugins(
    workspace.cli.environment["PULUMI_HOME"] ?? process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi"),
  );
  await runSteps([
    step(
      "lock",
      async () => {
        await askPulumi(workspace, ["cancel", "--yes"]);
      },
      { done: () => locks.length === 0 },
    ),
    step("Helm releases", forgetStuck, { done: () => stuck.length === 0 }),
    // Last, as it takes the interrupted creations out of the state: killed before, all of this can be done again.
    step(
      "pending operations: pulumi refresh",
      async () => {
        await askPulumi(workspace, CLEAR_PENDING_OPERATIONS);
      },
      // What Helm was at is in the state as Pulumi last heard of it.
      { done: () => unreachable !== undefined || (pending.length === 0 && stuck.length === 0) },
    ),
  ]);
}
