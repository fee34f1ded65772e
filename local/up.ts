import { Command, Option } from "commander";
import type { ClusterWay } from "../common/localStack";
import { installKind, kindIsPossible } from "./cluster/kind";
import { contextProblems } from "./cluster/context";
import { type ClusterOptions, provideCluster } from "./provideCluster";
import { runCommand } from "../common/command";
import { Failure } from "../common/failure";
import { UsageFailure } from "../common/usageFailure";
import { clientEnvironment, forwardPorts, localPorts, runFirstWorkflow, uiAddress } from "./firstWorkflow";
import { JobWatch } from "./jobWatch";
import { diagnosePods } from "./podDiagnosis";
import { checkMachine } from "./preflight";
import { minutes, runStep, runSteps } from "../common/progress";
import { recordCluster, recordedCluster } from "../common/localStack";
import { environmentFile, writeEnvironmentFile } from "../common/localStack";
import { requireStackFile } from "../common/stackFiles";
import { recoverStack } from "./recovery";
import { localCli } from "../common/pulumi";
import { OTHER_WORKFLOW, type SmokeOutcome } from "../common/smoke/outcome";
import { stackOutputs } from "../common/stackOutputs";
import { prepareStack, updateStack } from "./stack";
import { type Target } from "../common/localStack";
import { DEFAULT_STACK, buildsImage, usesCharts } from "./target";
import { buildSeconds, toolchainSteps } from "./toolchainSteps";
import { chooseSource } from "../toolchain/steps";

interface UpOptions extends ClusterOptions {
  readonly stack?: string;
  readonly kind?: boolean;
  readonly native?: boolean;
}

const command = new Command("npm run up --")
  .description("Deploys a stack to a Kubernetes cluster and runs a first workflow.")
  .addOption(
    new Option("--stack <name>", `the stack: one with a Pulumi.<name>.yaml (default: "${DEFAULT_STACK}")`),
  )
  .addOption(
    new Option("--context <name>", "deploy to the cluster of this kubeconfig context; nothing is installed"),
  )
  .addOption(new Option("--repository <name>", "with --context: where the worker image is pushed"))
  .addOption(new Option("--kind", "create a kind cluster (needs Docker)").conflicts(["context", "native"]))
  .addOption(
    new Option("--native", "run Kubernetes on this machine itself (Debian, root)").conflicts(["context"]),
  )
  .addOption(
    new Option(
      "--deployer",
      "with --native: deploy with the permissions of npm run deployer only, as a pipeline would, not as administrator",
    ).implies({ native: true }),
  );

command.addHelpText(
  "after",
  "\nIt compares the settings with what was deployed, not with the cluster: npm run drift -- -s STACK shows what somebody deleted or changed there, and how to put it back.",
);

runCommand(command, main);

async function main(options: UpOptions): Promise<void> {
  const started = Date.now();
  requirePartners(options);
  const way = await chooseWay(options);
  const stack = options.stack ?? recordedCluster()?.stack ?? DEFAULT_STACK;
  requireStackFile(stack);
  const needs = { way, charts: usesCharts(stack) };
  const source = await chooseSource();
  const compiling = buildSeconds(needs, source);
  console.log(
    source === "official"
      ? "official downloads can be reached: what is published is downloaded" +
          (compiling > 0 ? ", the rest is built from package registries" : "")
      : "official downloads cannot be reached: the same versions are built from package registries" +
          (compiling > 0 ? " (about half an hour, once)" : ", and have been"),
  );
  keepToOne(way, stack);
  await checkMachine({
    way,
    buildSeconds: compiling,
    ports: Object.values(localPorts),
    buildsImage: buildsImage(stack),
    more: options.context === undefined ? [] : contextProblems(options.context),
  });
  await runSteps(toolchainSteps(needs, source));
  if (way === "kind") await runStep("kind", installKind);
  if (recordedCluster() === undefined) recordCluster({ way, stack });
  const cluster = await provideCluster(way, stack, options);
  recordCluster({ way, stack, cluster });
  const target = { ...cluster, stack };
  const outcome = await deploy(target);
  summarize(target, outcome, Date.now() - started);
}

/** One state folder holds one stack on one cluster; `down` has to know which. */
function keepToOne(way: ClusterWay, stack: string): void {
  const recorded = recordedCluster();
  if (recorded !== undefined && (recorded.way !== way || recorded.stack !== stack)) {
    throw new Failure(
      `there is stack "${recorded.stack}" already, on a cluster of the kind "${recorded.way}"`,
      `npm run down takes it away; then run the command again for stack "${stack}" and "${way}"`,
    );
  }
}

/** One flag says which cluster, the other where that cluster pulls from. */
function requirePartners({ context, repository }: UpOptions): void {
  if ((context === undefined) === (repository === undefined)) return;
  throw new UsageFailure(
    context === undefined ? "--repository is for --context only" : "--context needs --repository",
    "name both: --context NAME --repository REGISTRY/NAME",
  );
}

async function chooseWay({ context, kind, native }: UpOptions): Promise<ClusterWay> {
  if (context !== undefined) return "context";
  if (kind === true) return "kind";
  if (native === true) return "native";
  return recordedCluster()?.way ?? ((await kindIsPossible()) ? "kind" : "native");
}

async function deploy(target: Target): Promise<SmokeOutcome | undefined> {
  const recovered = await runStep(`Pulumi stack ${target.stack}`, async () => {
    await prepareStack(target);
    return recoverStack(target);
  });
  for (const reason of recovered) console.log(`recovered from an interrupted update: ${reason}`);
  const outputs = await runStep("pulumi up", async ({ report }) => {
    await update(target, report);
    return stackOutputs(localCli(target));
  });
  return runStep("first workflow", async () => {
    await forwardPorts(target, outputs);
    const environment = await clientEnvironment(target, outputs);
    await writeEnvironmentFile(target, environment);
    return runFirstWorkflow(outputs, environment);
  });
}

async function update(target: Target, report: (line: string) => void): Promise<void> {
  const jobs = new JobWatch(target);
  try {
    await updateStack(target, report);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const nothing = new Map<string, string[]>();
    const failed = await jobs.failures().catch(() => nothing);
    const pods = await diagnosePods(target).catch(() => nothing);
    const lines = [...new Map([...failed, ...pods]).values()].flat();
    throw new Failure(error.message, error.remedy, [...error.details, ...lines]);
  } finally {
    await jobs.end();
  }
}

function summarize(target: Target, outcome: SmokeOutcome | undefined, elapsed: number): void {
  console.log(`
${workflowLines(outcome).join("\n")}
  Temporal   127.0.0.1:${localPorts.frontend}, UI ${uiAddress}
  cluster    stack ${target.stack} on ${target.description}
  policies   ${policyNote[target.networkPolicies]}
  took       ${minutes(elapsed)}

Next, in this checkout:
  source ${environmentFile}
  npx pulumi preview -s ${target.stack}        what a change of the program or of Pulumi.${target.stack}.yaml would do
  npm run order -- --fail card-declined   a workflow that fails, and how that looks
  npm run down                       take it all away`);
}

const workflowLines = (outcome: SmokeOutcome | undefined): string[] =>
  outcome === undefined
    ? [`The stack is deployed, but NOT VERIFIED: its settings name no workflow; ${OTHER_WORKFLOW}.`]
    : [
        "The first workflow has finished.",
        `  workflow   ${outcome.workflowId} on task queue ${outcome.taskQueue}`,
        `  result     ${JSON.stringify(outcome.result)}`,
        `  duration   ${(outcome.durationMs / 1_000).toFixed(2)} s`,
      ];

const policyNote = {
  enforced: "NetworkPolicies are enforced",
  notEnforced:
    "NetworkPolicies are declared but NOT enforced here; npm run addons enforces them (and adds metrics)",
  unknown: "NetworkPolicies are declared; whether this cluster enforces them depends on its network plugin",
} as const;
