import { CoreV1Api, type V1ContainerStatus, type V1Pod } from "@kubernetes/client-node";
import { lastLines } from "../common/failure";
import { unlessMissing } from "../common/unlessMissing";
import { ownNamespaces } from "../components/manifests/flows";
import { parseSettings } from "../settings/settings";
import { sourceOfStackFile } from "../settings/stackFile";
import { kubeConfigOf } from "./cluster/clusterAccess";
import { checkout } from "../common/paths";
import type { Target } from "../common/localStack";

const LOG_LINES = 15;

/** What is known of pods that are in trouble: their names, and the lines that say why. */
export type Diagnosis = ReadonlyMap<string, readonly string[]>;

/** Why pods in the stack's namespaces are not ready: each one's reason and the last lines of its log. */
export const diagnosePods = (target: Target): Promise<Diagnosis> => diagnose(target, (pod) => !isReady(pod));

/** What pods of jobs say that have not succeeded. */
export const diagnoseJobs = (target: Target): Promise<Diagnosis> =>
  diagnose(target, (pod) => jobOf(pod) !== undefined && pod.status?.phase !== "Succeeded");

async function diagnose(target: Target, isMeant: (pod: V1Pod) => boolean): Promise<Map<string, string[]>> {
  const core = kubeConfigOf(target).makeApiClient(CoreV1Api);
  const pods: V1Pod[] = [];
  for (const namespace of namespacesOf(target)) {
    pods.push(...(await core.listNamespacedPod({ namespace })).items);
  }
  const diagnosis = new Map<string, string[]>();
  for (const pod of pods.filter(isMeant)) {
    const [name, namespace] = [pod.metadata?.name ?? "", pod.metadata?.namespace ?? ""];
    const log = await logOf(core, namespace, name, pod);
    // Gone since it was listed: whoever read it before knows more.
    if (log === undefined) continue;
    diagnosis.set(`${namespace}/${name}`, [`pod ${namespace}/${name}: ${reasonOf(pod)}`, ...log]);
  }
  return diagnosis;
}

/** The namespaces that a stack makes. */
export function namespacesOf({ stack }: Target): string[] {
  const source = sourceOfStackFile(checkout, stack);
  return source === undefined ? [] : ownNamespaces(parseSettings(source));
}

const isReady = ({ status }: V1Pod): boolean =>
  status?.phase === "Succeeded" ||
  (status?.conditions ?? []).some(({ type, status: value }) => type === "Ready" && value === "True");

/** The container that a pod is at: one after the other those that prepare it, then its own. */
function currentContainer({ status }: V1Pod): V1ContainerStatus | undefined {
  const preparing = status?.initContainerStatuses?.find(({ state }) => state?.terminated?.exitCode !== 0);
  return preparing ?? status?.containerStatuses?.[0];
}

function reasonOf(pod: V1Pod): string {
  const { status } = pod;
  const container = currentContainer(pod);
  const ended = container?.lastState?.terminated ?? container?.state?.terminated;
  const waiting = container?.state?.waiting;
  const reasons = [
    waiting === undefined ? undefined : `${waiting.reason ?? "waiting"} ${waiting.message ?? ""}`.trim(),
    ended === undefined
      ? undefined
      : `last ended with exit code ${ended.exitCode} (${ended.reason ?? "no reason"})`,
    (status?.conditions ?? []).find(({ type, status: value }) => type === "PodScheduled" && value === "False")
      ?.message,
  ].filter((reason) => reason !== undefined && reason !== "");
  return reasons.length === 0 ? "running, but its readiness probe fails" : reasons.join("; ");
}

/** Name of the job that a pod belongs to. */
const jobOf = ({ metadata }: V1Pod): string | undefined =>
  metadata?.ownerReferences?.find(({ kind }) => kind === "Job")?.name;

/** The last lines of a pod's log, or why there are none; undefined if the pod is gone. */
async function logOf(
  core: CoreV1Api,
  namespace: string,
  name: string,
  pod: V1Pod,
): Promise<string[] | undefined> {
  const status = currentContainer(pod);
  if (status?.containerID === undefined) return ["    (no container has started)"];
  const previous = status.state?.running === undefined && status.restartCount > 0;
  try {
    const container = status.name;
    const log = await unlessMissing(
      core.readNamespacedPodLog({ namespace, name, container, tailLines: LOG_LINES, previous }),
    );
    return log === undefined ? undefined : lastLines(log).map((line) => `    ${line}`);
  } catch (error) {
    return [`    (its log cannot be read: ${error instanceof Error ? error.message : String(error)})`];
  }
}
