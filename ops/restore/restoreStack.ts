import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { createTwoFilesPatch } from "diff";
import { Failure, lastLines } from "../../common/failure";
import { runStep } from "../../common/progress";
import { pulumi, type StackCli } from "../../common/pulumi";
import { noStackFile } from "../../common/stackFiles";
import { stackOutputs } from "../../common/stackOutputs";
import { UsageFailure } from "../../common/usageFailure";
import { parseSettings } from "../../settings/settings";
import type { PostgresClusterSettings, Settings } from "../../settings/settings";
import { sourceOfStackFile } from "../../settings/stackFile";
import { LiveObjects } from "../drift/live";
import { runJob } from "../stack/commandJob";
import { kubeConfigOf, requireCluster } from "../stack/kubeConfig";
import { withSettings } from "../stack/stackFileEdit";
import { readState } from "../stack/state";
import { stackNameOf, withWorkspace, type Workspace } from "../stack/workspace";
import { describeArchive, describeStep } from "./describe";
import { readArchive, readNewest } from "./facts";
import { nextStep, type RestoreFacts, type RestoreStep, type Wish } from "./plan";
import { Writers } from "./running";
import { answersIn, describeAnswers, verificationJob, verificationProblems } from "./verification";

/** What is asked for. */
export interface RestoreOptions {
  readonly stack: string;
  readonly wish: Wish;
  /** Show what would be done, and do nothing. */
  readonly dryRun: boolean;
  /** Deploy, stop and start, without asking. */
  readonly yes: boolean;
}

interface Target {
  readonly workspace: Workspace;
  readonly cli: StackCli;
  readonly config: KubeConfig;
  readonly objects: LiveObjects;
  readonly writers: Writers;
}

/**
 * Restores the database of a stack step by step. Its memory is the stack file, the record of the last update and the
 * cluster: after an interruption the next call carries on.
 *
 * @throws UsageFailure when the point cannot be restored; Failure when a step fails
 */
export async function restoreStack(options: RestoreOptions, signal: AbortSignal): Promise<void> {
  await withWorkspace(options.stack, async (workspace) => {
    const { cli } = workspace;
    const outputs = await stackOutputs(cli);
    const config = await kubeConfigOf(cli, outputs.kubernetesContext);
    await requireCluster(config);
    const { settings } = clusterSettings(workspace);
    const writers = await Writers.of(config, outputs.workers, settings.namespaces.temporal);
    const target = { workspace, cli, config, objects: new LiveObjects(config), writers };
    let { wish } = options;
    for (let last: RestoreStep["name"] | undefined; ;) {
      signal.throwIfAborted();
      const facts = await readFacts(target);
      if (last === undefined) console.log(describeArchive(facts.archive));
      const step = nextStep(wish, facts);
      if (step === undefined) {
        console.log(
          `nothing is left to do: Temporal uses generation ${facts.deployed.serving}; --to TIME, --to latest or --backup NAME restores`,
        );
        return;
      }
      if (step.name === last) throw new Error(`step ${last} was done and is asked for again`);
      if (!(await carriedOut(step, target, options, signal))) return;
      if (wish.kind === "release") return;
      // Back is back: without the wish the next step would be to move on again.
      if (wish.kind === "back") return runStep("start", ({ report }) => writers.start(report));
      last = step.name;
      wish = { kind: "carryOn" };
    }
  });
}

/** @throws UsageFailure when the stack has no Postgres cluster of its own */
function clusterSettings(
  { checkout, stack, stackFile }: Workspace,
  edited: Readonly<Record<string, string>> = {},
): { readonly settings: Settings; readonly cluster: PostgresClusterSettings } {
  const name = stackNameOf(stack);
  const source = sourceOfStackFile(checkout, name, {}, edited) ?? noStackFile(name, checkout);
  const settings = parseSettings(source);
  if (settings.postgres?.mode !== "cluster") {
    throw new UsageFailure(
      `${stackFile} has no Postgres cluster of its own (postgres.mode: cluster)`,
      "restore where the database is; docs/backups.md says what its service has to do",
    );
  }
  return { settings, cluster: settings.postgres };
}

async function readFacts({ workspace, objects, writers }: Target): Promise<RestoreFacts> {
  const { settings, cluster } = clusterSettings(workspace);
  const record = (await readState(workspace)).deployed?.postgres;
  if (record?.mode !== "cluster") {
    throw new UsageFailure(`stack ${workspace.stack} has no deployed Postgres cluster`, "deploy it first");
  }
  const generation = record.generation ?? 1;
  const deployed = { generation, serving: record.serving ?? generation };
  const now = new Date();
  const namespace = settings.namespaces.temporal;
  return {
    file: cluster,
    deployed,
    archive: await readArchive(objects, namespace, cluster, deployed.serving, now),
    newest: await readNewest(objects, namespace, cluster),
    stopped: await writers.stopped(),
    now,
  };
}

/** @returns whether the next step may be looked for: everything is deployed */
async function carriedOut(
  step: RestoreStep,
  target: Target,
  { dryRun, yes, stack }: RestoreOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const { workspace, cli, writers } = target;
  console.log(describeStep(step));
  const file = join(workspace.checkout, workspace.stackFile);
  const before = await readFile(file, "utf8");
  const after = step.changes.length === 0 ? before : withSettings(before, step.changes);
  if (after !== before)
    console.log(createTwoFilesPatch(workspace.stackFile, workspace.stackFile, before, after));
  // The program would refuse it: known before anything is stopped.
  clusterSettings(workspace, { [workspace.stackFile]: after });
  if (dryRun) {
    console.log("nothing was changed (--dry-run)");
    return false;
  }
  const { verifies } = step;
  if (verifies !== undefined) {
    await runStep(`verification of generation ${verifies}`, ({ report }) =>
      verified(target, verifies, report, signal),
    );
  }
  if (!yes) {
    if (after !== before) await writeFile(file, after);
    const running = step.stops ? await writers.running() : [];
    console.log(followUp(step, workspace, stack, running));
    return false;
  }
  if (step.stops) await runStep("stop of workers and server", ({ report }) => writers.stop(report));
  if (after !== before) await writeFile(file, after);
  if (step.deploys) {
    const args = ["up", "--yes", "--skip-preview", "--stack", stack, "--message", `restore: ${step.title}`];
    await runStep(step.title, async ({ report }) => {
      await pulumi(cli, args, { cwd: workspace.checkout, onLine: report });
    });
    console.log(`deployed; commit ${workspace.stackFile}`);
  }
  if (step.name === "start") await runStep("start", ({ report }) => writers.start(report));
  return true;
}

function followUp(
  step: RestoreStep,
  { stackFile }: Workspace,
  stack: string,
  running: readonly string[],
): string {
  const again = `npm run restore -- -s ${stack}`;
  if (!step.deploys) return `nothing was started: ${again} --yes does it`;
  return [
    ...(step.changes.length === 0 ? [] : [`${stackFile} is changed: review and commit it`]),
    ...(running.length === 0 ? [] : [`must have no pods before it is deployed: ${running.join(", ")}`]),
    step.stops
      ? `then ${again}${step.name === "back" ? " --back" : ""} --yes stops, deploys and starts again; by hand: kubectl scale --replicas=0, and pulumi up -s ${stack}`
      : `then pulumi up -s ${stack}, and ${again} for the next step`,
  ].join("\n");
}

/** @throws Failure when the database does not answer, or not as the settings expect */
async function verified(
  { workspace, config, objects }: Target,
  generation: number,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { settings, cluster } = clusterSettings(workspace);
  const name = `restore-verification-${randomBytes(4).toString("hex")}`;
  const manifest = verificationJob(settings, cluster, generation, name);
  const { exitCode, log } = await runJob(config, (job: typeof manifest) => objects.create(job), {
    ...{ manifest, what: "verification", onLine, signal },
  });
  const answers = exitCode === 0 ? answersIn(log) : undefined;
  if (answers === undefined) {
    throw new Failure(
      `generation ${generation} does not answer as a database of Temporal`,
      "correct what is named above, then run the command again; Temporal was not moved",
      lastLines(log),
    );
  }
  for (const line of describeAnswers(answers)) onLine(line);
  const problems = verificationProblems(answers, settings);
  if (problems.length > 0) {
    throw new Failure(
      `generation ${generation} is not what Temporal needs`,
      "restore another point: delete what was made (docs/backups.md), then run the command with another --to; Temporal was not moved",
      problems,
    );
  }
}
