import { performance } from "node:perf_hooks";
import { Failure } from "../../common/failure";
import { runSteps } from "../../common/progress";
import { merge } from "../../settings/mapping";
import type { Cluster } from "../../common/localStack";
import { provideCluster } from "../../local/provideCluster";
import {
  clientEnvironment,
  forwardPorts,
  localPorts,
  runFirstWorkflow,
  stopForwarding,
} from "../../local/firstWorkflow";
import { checkMachine } from "../../local/preflight";
import { recordCluster, recordedCluster } from "../../common/localStack";
import { localCli, pulumi } from "../../common/pulumi";
import { type StackOutputs, stackOutputs } from "../../common/stackOutputs";
import { destroyStack, prepareStack, updateStack } from "../../local/stack";
import type { Target } from "../../common/localStack";
import { programs } from "../../toolchain/programs";
import { buildSeconds, toolchainSteps } from "../../local/toolchainSteps";
import { chooseSource, programStep } from "../../toolchain/steps";
import { twoCores } from "../../test/support/twoCores";
import { previewFigures } from "../preview";
import { timed } from "../timedRun";
import { type Figure, ratio, seconds } from "../table";
import { Baseline } from "./baseline";
import { gapFigures } from "./gaps";
import { idleFigures } from "./idle";
import { stackObjects } from "./stackObjects";

/** By issue 5. */
const LIMIT = 1.1;
const PROD = "prod";
const DEV = "dev";
const WAY = "native";

/**
 * Starts a cluster of its own on this machine, measures stack prod and stack dev on it, and takes it down again.
 * Gives figures as soon as it has them.
 *
 * @param runs how often each preview is measured
 * @throws Failure when there is a cluster already: it is not this measurement's to stop
 */
export async function* prodFigures(runs: number): AsyncGenerator<Figure[]> {
  if (recordedCluster() !== undefined) {
    throw new Failure(
      "there is a stack on this machine already, and stack prod needs a cluster of its own",
      "run npm run down, and measure again",
    );
  }
  try {
    const cluster = await startCluster();
    const shaped = { ...cluster, stack: PROD, settings: merge(cluster.settings, twoCores) };
    yield* stackProd(shaped, runs);
    yield await stackDev({ ...cluster, stack: DEV });
  } finally {
    if (recordedCluster() !== undefined) {
      await timed(["npm", "run", "--silent", "down"], { remedy: "run npm run down and see what it says" });
    }
  }
}

async function startCluster(): Promise<Cluster> {
  const needs = { way: WAY, charts: true } as const;
  const source = await chooseSource();
  await checkMachine({
    way: WAY,
    buildSeconds: buildSeconds(needs, source),
    ports: Object.values(localPorts),
  });
  recordCluster({ way: WAY, stack: PROD });
  await runSteps([...toolchainSteps(needs, source), programStep(programs.helm, source)]);
  const cluster = await provideCluster(WAY, PROD, {});
  recordCluster({ way: WAY, stack: PROD, cluster });
  return cluster;
}

/**
 * Both sides start with the images in the node, where a first deployment brings them, and with no namespaces. What
 * the program deployed then, the script deploys, too: passwords and all.
 */
async function* stackProd(target: Target, runs: number): AsyncGenerator<Figure[]> {
  await prepareStack(target);
  await updateStack(target, quietly);
  const outputs = await stackOutputs(localCli(target));
  const exported = await pulumi(localCli(target), ["stack", "export", "--show-secrets"]);
  const baseline = await Baseline.write(stackObjects(exported));
  let script: number;
  try {
    await destroyStack(target, quietly);
    script = await timedToWorkflow(target, outputs, () => baseline.deploy());
    await baseline.remove();
  } finally {
    await baseline.discard();
  }
  const program = await timedToWorkflow(target, outputs, () => updateStack(target, quietly));
  const environment = await forwarded(target, outputs);
  yield [
    seconds("script with kubectl and helm, from no namespaces to the first workflow", script),
    seconds(`pulumi up of stack ${PROD}, from no namespaces to the first workflow`, program),
    ratio(`pulumi up of stack ${PROD} ÷ script with kubectl and helm`, program / script, LIMIT),
  ];
  yield await previewFigures(target, runs);
  yield await gapFigures(environment);
  await stopForwarding();
  await destroyStack(target, quietly);
}

async function stackDev(target: Target): Promise<Figure[]> {
  recordCluster({ way: WAY, stack: DEV, cluster: target });
  await prepareStack(target);
  await updateStack(target, quietly);
  await timed(["npm", "run", "--silent", "addons"], { remedy: "run npm run addons and see what it says" });
  return idleFigures(target);
}

/**
 * Takes the time of a deployment and of a first workflow through it.
 *
 * @param outputs of an equal deployment
 */
async function timedToWorkflow(
  target: Target,
  outputs: StackOutputs,
  deploy: () => Promise<void>,
): Promise<number> {
  const started = performance.now();
  await deploy();
  await runFirstWorkflow(outputs, await forwarded(target, outputs));
  const taken = (performance.now() - started) / 1_000;
  await stopForwarding();
  return taken;
}

/** The environment of a client on this machine. */
async function forwarded(target: Target, outputs: StackOutputs): Promise<Record<string, string>> {
  await forwardPorts(target, outputs);
  return clientEnvironment(target, outputs);
}

const quietly = (): void => undefined;
