import { setTimeout as delay } from "node:timers/promises";
import { CoreV1Api, KubeConfig, type V1Pod } from "@kubernetes/client-node";
import { lastLines } from "../common/failure";
import { ownNamespaces } from "../components/manifests/flows";
import { parseSettings } from "../components/settings";
import { sourceOfStackFile } from "../components/settings/stackFile";
import { checkout } from "./paths";
import type { Target } from "./target";

const LOG_LINES = 15;
/** Short against the time that a failed container waits before it starts again. */
const WATCH_MS = 3_000;

/** What is known of pods that are in trouble: their names, and the lines that say why. */
export type Diagnosis = ReadonlyMap<string, readonly string[]>;

/** Why pods in the stack's namespaces are not ready: each one's reason and the last lines of its log. */
export const diagnosePods = (target: Target): Promise<Diagnosis> => diagnose(target, (pod) => !isReady(pod));

/**
 * Looks at pods that fail for as long as some work takes: a job that runs out of time takes its pods with it, and
 * with them what they said.
 *
 * @param onNews told of each pod, once, when it is first seen to fail
 * @returns what ends the watch, and gives the diagnosis of all pods that were seen
 */
export function watchFailingPods(
  target: Target,
  onNews: (line: string) => void,
): { readonly end: () => Promise<Diagnosis> } {
  const seen = new Map<string, readonly string[]>();
  const stop = new AbortController();
  const look = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      // The cluster may be out of reach for a while; the update itself says so if it matters.
      for (const [pod, lines] of await diagnose(target, hasFailed).catch(() => new Map<string, string[]>())) {
        if (!seen.has(pod)) onNews(lines.join("\n"));
        seen.set(pod, lines);
      }
      await delay(WATCH_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  };
  const watching = look();
  return {
    end: async () => {
      stop.abort();
      await watching;
      return seen;
    },
  };
}

async function diagnose(target: Target, isMeant: (pod: V1Pod) => boolean): Promise<Map<string, string[]>> {
  const config = new KubeConfig();
  config.loadFromFile(target.kubeconfig);
  config.setCurrentContext(target.context);
  const core = config.makeApiClient(CoreV1Api);
  const source = sourceOfStackFile(checkout, target.stack);
  const namespaces = source === undefined ? [] : ownNamespaces(parseSettings(source));
  const pods: V1Pod[] = [];
  for (const namespace of namespaces) pods.push(...(await core.listNamespacedPod({ namespace })).items);
  const diagnosis = new Map<string, string[]>();
  for (const pod of pods.filter(isMeant)) {
    const [name, namespace] = [pod.metadata?.name ?? "", pod.metadata?.namespace ?? ""];
    const log = await logOf(core, namespace, name, pod);
    diagnosis.set(`${namespace}/${name}`, [`pod ${namespace}/${name}: ${reasonOf(pod)}`, ...log]);
  }
  return diagnosis;
}

/** Whether a container ended with an error, and has not become ready since. */
const hasFailed = (pod: V1Pod): boolean =>
  !isReady(pod) &&
  [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])].some(
    ({ lastState, state }) => ((lastState?.terminated ?? state?.terminated)?.exitCode ?? 0) !== 0,
  );

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
