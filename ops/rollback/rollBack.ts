import { userInfo } from "node:os";
import { confirm } from "../../common/confirm";
import { Failure } from "../../common/failure";
import { type StuckRelease, stuckReleases } from "../../common/stuckReleases";
import { runStep, runSteps, step } from "../../common/progress";
import { failedOf, type GroupVerdict, renderVerdicts } from "../../common/smoke/outcome";
import { kubeConfigOf, requireCluster } from "../stack/kubeConfig";
import { nameOf } from "../history/choose";
import { historyTable, oneLine } from "../history/table";
import { newestStart } from "../history/updates";
import { readStack } from "../history/read";
import { requireFree } from "../recover/locks";
import { exitCodes } from "../../common/exitCodes";
import { replayGate } from "../replay/gate";
import { exitCodeOf, render } from "../replay/replayReport";
import { smoke } from "../smoke/smokeTest";
import { digestOf, type StackState } from "../stack/state";
import { checkout as ownCheckout } from "../../common/paths";
import { groupsOf, readGroupFiles } from "../../settings/groupFiles";
import { stackNameOf, withWorkspace, type Workspace } from "../stack/workspace";
import { restoredConfig, writeConfig } from "./config";
import { Clone } from "./git";
import { lockRollback, type RollbackLock } from "./lock";
import { planRollback, type RollbackPlan } from "./plan";
import { installPackages } from "./program";
import { type Prepared, showPreview, update } from "./update";

/** What a user asks of a rollback. */
export interface RollbackOptions {
  readonly stack: string;
  readonly to?: string;
  readonly workerOnly?: boolean;
  /** The worker group whose image alone goes back. */
  readonly group?: string;
  readonly reason?: string;
  readonly yes?: boolean;
  /** False: do not replay open workflows first. */
  readonly replay?: boolean;
  /** False: do not run a workflow afterwards. */
  readonly verify?: boolean;
}

const SHOWN = 10;

/**
 * Takes a stack back to what an earlier update deployed.
 *
 * @param signal aborted: stops before the next step
 * @param checkout the checkout whose stack it is
 * @throws Failure when it cannot be done, or something failed
 */
export async function rollback(
  options: RollbackOptions,
  signal: AbortSignal,
  checkout = ownCheckout,
): Promise<void> {
  await withWorkspace(
    options.stack,
    async (workspace) => {
      const clone = new Clone(checkout);
      const { privateFolder } = clone;
      if (privateFolder === undefined) {
        throw new Failure(
          "this checkout is no Git repository: the program of an earlier update cannot be had from it",
          "run the command in a clone",
        );
      }
      const lock = await lockRollback(privateFolder, options.stack, (left) => clone.removeLeft(left));
      try {
        await lock.note(workspace.folder);
        await goBack(options, { workspace, clone, lock, signal });
      } finally {
        await lock.release();
      }
    },
    checkout,
  );
}

interface Context {
  readonly workspace: Workspace;
  readonly clone: Clone;
  readonly lock: RollbackLock;
  readonly signal: AbortSignal;
}

async function goBack(options: RollbackOptions, context: Context): Promise<void> {
  const { workspace, clone, lock, signal } = context;
  const { stack, checkout } = workspace;
  const [{ state, updates }] = await Promise.all([readStack(workspace), requireFree(workspace)]);
  requireSettled(state, stack);
  console.log(`${historyTable(updates, state.quarantine, SHOWN)}\n`);
  const payloadKeys = updates.find(({ release }) => release !== undefined)?.release?.payloadKeys ?? [];
  const { to, reason, group, workerOnly = false } = options;
  const plan = planRollback(
    updates,
    { stack, state, payloadKeys, commits: clone },
    { to, reason, workerOnly, group, user: userInfo().username, now: Date.now() },
    checkout,
  );
  describe(plan);
  signal.throwIfAborted();
  const cluster = await kubeConfigOf(workspace.cli, state.kubernetesContext);
  await requireCluster(cluster);
  requireNoStuckRelease(await stuckReleases(cluster, state.helmReleases), stack);
  if (options.replay !== false) await replay(stack, plan, signal);
  let worktree: string | undefined;
  try {
    const { commit } = plan;
    if (commit !== undefined) {
      worktree = await runStep(`worktree of commit ${commit.slice(0, 12)}`, () => clone.addWorktree(commit));
      await lock.note(worktree);
      const restored = clone.programIn(worktree);
      await runStep("packages of its lock file", () => installPackages(restored, checkout));
    }
    const program = worktree === undefined ? checkout : clone.programIn(worktree);
    const { groups } = groupsOf(readGroupFiles(program), stackNameOf(stack));
    const described = groups.flatMap(({ name, image }) => (image === undefined ? [] : [name]));
    const config = restoredConfig(plan.settingsOf.config, digestsOf(plan), plan.quarantine, described);
    const prepared = {
      cli: workspace.cli,
      program,
      config: await runStep("settings of that update", () => writeConfig(workspace, config)),
    };
    signal.throwIfAborted();
    await carryOut(prepared, plan, updates[0]?.start, options, context);
  } finally {
    if (worktree !== undefined) await clone.removeWorktree(worktree);
  }
}

function requireSettled({ pending }: StackState, stack: string): void {
  if (pending.length === 0) return;
  throw interrupted(
    stack,
    pending.map(({ type, urn }) => `${type} of ${urn}`),
  );
}

function requireNoStuckRelease(stuck: readonly StuckRelease[], stack: string): void {
  if (stuck.length === 0) return;
  throw interrupted(
    stack,
    stuck.map(({ namespace, name, status }) => `Helm release ${namespace}/${name} is ${status}`),
  );
}

const interrupted = (stack: string, found: readonly string[]): Failure =>
  new Failure(
    `an update of stack ${stack} was interrupted; nothing was changed`,
    `npm run recover -- -s ${stack} resolves it; then run the command again`,
    found,
  );

const digestsOf = ({ images }: RollbackPlan): Record<string, string> =>
  Object.fromEntries(Object.entries(images).map(([name, image]) => [name, digestOf(image)]));

function describe({ target, images, quarantine, commit }: RollbackPlan): void {
  console.log(
    [
      `back to ${nameOf(target)}${target.message === "" ? "" : `: ${oneLine(target.message, 80)}`}`,
      `  program       ${commit === undefined ? "stays" : `commit ${commit}`}`,
      ...Object.values(images).map((image) => `  worker image  ${image}`),
      ...quarantine.map(({ digest }) => `  quarantine    ${digest}`),
      "",
    ].join("\n"),
  );
}

/** @throws Failure when open workflows would break, or could not be checked */
async function replay(stack: string, { images }: RollbackPlan, signal: AbortSignal): Promise<void> {
  const report = await runStep("replay of open workflows on these images", (task) =>
    replayGate({ stack, images, onlyDeployed: true, onLine: task.report, signal }),
  );
  console.log(`${render(report)}\n`);
  const code = exitCodeOf(report);
  if (code === exitCodes.ok) return;
  throw new Failure(
    code === exitCodes.refused
      ? "workflows that are open would break on these images; nothing was changed"
      : "not every open workflow could be checked on these images; nothing was changed",
    "choose another update with --to; or, if those workflows may be stuck until a worker runs that fits them, --skip-replay",
  );
}

async function carryOut(
  prepared: Prepared,
  plan: RollbackPlan,
  newest: string | undefined,
  { yes, verify }: RollbackOptions,
  { workspace, signal }: Context,
): Promise<void> {
  const { stack } = workspace;
  const lines: string[] = [];
  await runSteps([step("pulumi preview", () => showPreview(prepared, (line) => lines.push(line)))]);
  console.log(`${lines.join("\n")}\n`);
  signal.throwIfAborted();
  if (yes !== true && !(await confirm(`Roll stack ${stack} back?`, signal))) {
    console.log("nothing was changed");
    return;
  }
  const latest = await newestStart(workspace);
  if (latest !== newest) {
    throw new Failure(
      `stack ${stack} was changed meanwhile, on ${latest ?? "its history is gone"}; nothing was changed by this command`,
      "look at npm run history and run the command again if it is still needed",
    );
  }
  const verdicts: GroupVerdict[] = [];
  await runSteps([
    step("pulumi up", (task) => update(prepared, plan.message, task.report)),
    ...(verify === false
      ? []
      : [
          step("a workflow through each worker group, to verify it", async ({ report }) => {
            verdicts.push(...(await smoke({ stack, onLine: report, signal })));
          }),
        ]),
  ]);
  const held = plan.quarantine.map(({ digest }) => digest);
  console.log(
    [
      `\nstack ${stack} is back at ${nameOf(plan.target)}`,
      verify === false ? "NOT VERIFIED: no workflow was run through it" : renderVerdicts(verdicts),
      ...(held.length === 0
        ? []
        : [
            `in quarantine, and refused by every update until released: ${held.join(", ")}`,
            `  npm run quarantine -- -s ${stack} --release DIGEST --reason "…"`,
          ]),
    ].join("\n"),
  );
  requireCompleted(verdicts);
}

/** @throws Failure when a workflow of the smoke test failed: the stack is back, and does not work */
function requireCompleted(verdicts: readonly GroupVerdict[]): void {
  const failed = failedOf(verdicts);
  if (failed.length === 0) return;
  throw new Failure(
    `the stack is back, but ${failed.map(({ workflowId }) => workflowId).join(", ")} failed, which was to verify it`,
    "look at the workers' pods and at the workflow in the Temporal UI",
  );
}
