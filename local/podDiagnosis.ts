import { CoreV1Api, KubeConfig, type V1Pod } from "@kubernetes/client-node";
import { lastLines } from "../common/failure";
import { ownNamespaces } from "../components/manifests/flows";
import { parseSettings } from "../components/settings";
import { sourceOfStackFile } from "../components/settings/stackFile";
import { checkout } from "./paths";
import type { Target } from "./target";

const LOG_LINES = 15;

/** Why pods in the stack's namespaces are not ready: each one's reason and the last lines of its log. */
export async function diagnosePods(target: Target): Promise<string[]> {
  const config = new KubeConfig();
  config.loadFromFile(target.kubeconfig);
  config.setCurrentContext(target.context);
  const core = config.makeApiClient(CoreV1Api);
  const source = sourceOfStackFile(checkout, target.stack);
  const namespaces = source === undefined ? [] : ownNamespaces(parseSettings(source));
  const pods: V1Pod[] = [];
  for (const namespace of namespaces) pods.push(...(await core.listNamespacedPod({ namespace })).items);
  const lines: string[] = [];
  for (const pod of pods.filter((candidate) => !isReady(candidate))) {
    const [name, namespace] = [pod.metadata?.name ?? "", pod.metadata?.namespace ?? ""];
    lines.push(`pod ${namespace}/${name}: ${reasonOf(pod)}`, ...(await logOf(core, namespace, name, pod)));
  }
  return lines;
}

const isReady = ({ status }: V1Pod): boolean =>
  status?.phase === "Succeeded" ||
  (status?.conditions ?? []).some(({ type, status: value }) => type === "Ready" && value === "True");

function reasonOf({ status }: V1Pod): string {
  const container = status?.containerStatuses?.[0];
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

async function logOf(core: CoreV1Api, namespace: string, name: string, pod: V1Pod): Promise<string[]> {
  const status = pod.status?.containerStatuses?.[0];
  if (status?.containerID === undefined) return ["    (no container has started)"];
  const previous = status.state?.running === undefined && status.restartCount > 0;
  try {
    const log = await core.readNamespacedPodLog({ namespace, name, tailLines: LOG_LINES, previous });
    return lastLines(log).map((line) => `    ${line}`);
  } catch (error) {
    return [`    (its log cannot be read: ${error instanceof Error ? error.message : String(error)})`];
  }
}
