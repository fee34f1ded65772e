import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CoreV1Api } from "@kubernetes/client-node";
import type { Cluster } from "../common/localStack";
import { kubeConfigOf } from "./cluster/clusterAccess";
import { logFile, runningPid, start, stop, waitUntilReady } from "./cluster/native/process";
import { Failure } from "../common/failure";
import { privateFolder, state } from "../common/paths";
import { unlessMissing } from "../common/unlessMissing";
import type { Forward } from "./serveForwards";
import { failureLines, type SmokeOutcome } from "../common/smoke/outcome";
import { runSmokeWorkflow } from "../common/smoke/run";
import { smokeOf, type StackOutputs } from "../common/stackOutputs";

/** Where this machine's own port of each service is. */
export const localPorts = { frontend: 7233, ui: 8233 } as const;
export const uiAddress = `http://127.0.0.1:${localPorts.ui}`;

const PORT_FORWARD = "port-forward";
const keysFolder = state("codec-keys");

/** Makes Temporal's frontend and UI reachable on this machine's loopback address, in the background. */
export async function forwardPorts(cluster: Cluster, outputs: StackOutputs): Promise<void> {
  const { temporalFrontend, temporalUi } = outputs;
  if (temporalFrontend == null || temporalUi == null) {
    throw new Failure(
      "the stack has no Temporal server of its own: its first workflow cannot be started from here",
      "start workflows at your server, or set temporal-stack:temporal.mode to devServer or chart in the stack file",
    );
  }
  const forwards: Forward[] = [
    { localPort: localPorts.frontend, ...temporalFrontend },
    { localPort: localPorts.ui, ...temporalUi },
  ];
  if (runningPid(PORT_FORWARD) !== undefined) return;
  start({
    name: PORT_FORWARD,
    command: [
      process.execPath,
      ...["--require", "sucrase/register/ts", join(__dirname, "serveForwards.ts")],
      ...[JSON.stringify(forwards), cluster.context],
    ],
    env: { KUBECONFIG: cluster.kubeconfig },
  });
  await waitUntilReady(PORT_FORWARD, uiAnswers, 30);
}

export const stopForwarding = (): Promise<void> => stop(PORT_FORWARD);

/** What a Temporal client on this machine needs: address, queue, and the keys that open payloads. */
export async function clientEnvironment(
  cluster: Cluster,
  outputs: StackOutputs,
): Promise<Record<string, string>> {
  const [worker] = outputs.workers;
  return {
    TEMPORAL_ADDRESS: `127.0.0.1:${localPorts.frontend}`,
    TEMPORAL_NAMESPACE: worker.temporalNamespace ?? outputs.temporalNamespace,
    TEMPORAL_TASK_QUEUES: worker.taskQueues.join(","),
    ...(outputs.payloadKeyring == null ? {} : await saveKeys(cluster, outputs.payloadKeyring)),
  };
}

/**
 * Runs the workflow that the settings name through the first worker group that they name one for.
 *
 * @returns undefined if they name none
 * @throws Failure with the workflow's failure when it does not complete
 */
export async function runFirstWorkflow(
  outputs: StackOutputs,
  environment: Readonly<Record<string, string>>,
): Promise<SmokeOutcome | undefined> {
  for (const group of outputs.workers) {
    const workflow = smokeOf(group);
    if (workflow === undefined) continue;
    const remedy = `look at the port-forward's log ${logFile(PORT_FORWARD)}, then run the command again`;
    const { temporalNamespace = outputs.temporalNamespace } = group;
    const outcome = await runSmokeWorkflow(group.name, workflow, {
      environment: { ...environment, TEMPORAL_NAMESPACE: temporalNamespace },
      remedy,
    });
    if (outcome.completed) return outcome;
    throw new Failure(
      `workflow ${outcome.workflowId} ended as failed`,
      `its history is on ${uiAddress}; correct the worker and run the command again`,
      failureLines(outcome.failure),
    );
  }
  return undefined;
}

/** Copies the keys from their Secrets to files that only this user can read. */
async function saveKeys(
  cluster: Cluster,
  keyring: NonNullable<StackOutputs["payloadKeyring"]>,
): Promise<Record<string, string>> {
  const { namespace } = keyring;
  const core = kubeConfigOf(cluster).makeApiClient(CoreV1Api);
  const read = async (name: string) => {
    const secret = await unlessMissing(core.readNamespacedSecret({ name, namespace }));
    if (secret === undefined) throw missing(`${namespace}/${name}`);
    return secret;
  };
  const { data } = await read(keyring.secret);
  const keys = { ...data };
  for (const { id, existing } of keyring.keys) {
    if (existing == null) continue;
    const own = await read(existing.secret);
    const key = own.data?.[existing.key];
    if (key !== undefined) keys[id] = key;
  }
  await replaceKeys(keys);
  return { CODEC_KEYS_DIR: keysFolder, CODEC_ACTIVE_KEY: keyring.activeKey };
}

/** An update compares with the state, not with the cluster: it does not see what somebody deleted there. */
const missing = (secret: string): Failure =>
  new Failure(
    `Secret ${secret} is not in the cluster, though the stack was deployed with it: somebody deleted it`,
    "npm run drift -- -s STACK lists what is missing; source env.sh and run PULUMI_K8S_ENABLE_PATCH_FORCE=true pulumi up --refresh -s STACK, which puts it back",
  );

/** Those that were there before stay usable at any moment: `env.sh` names their folder. */
async function replaceKeys(keys: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(privateFolder(keysFolder), { recursive: true });
  for (const [id, value] of Object.entries(keys)) {
    await writeFile(join(keysFolder, id), Buffer.from(value, "base64"), { mode: 0o600 });
  }
  for (const id of await readdir(keysFolder)) if (!(id in keys)) await rm(join(keysFolder, id));
}

async function uiAnswers(): Promise<boolean> {
  try {
    return (await fetch(uiAddress, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    await delay(200);
    return false;
  }
}
