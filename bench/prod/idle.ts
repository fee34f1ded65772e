import { setTimeout as delay } from "node:timers/promises";
import { CoreV1Api, Metrics, topPods } from "@kubernetes/client-node";
import { Failure } from "../../common/failure";
import { STACK_LABEL } from "../../components/manifests/labels";
import { kubeConfigOf } from "../../local/cluster/clusterAccess";
import type { Target } from "../../common/localStack";
import { type Figure, figure } from "../table";

const IDLE_MS = 120_000;
const MEBIBYTE = 1024 ** 2;

/**
 * Leaves a deployed stack alone for two minutes, and takes what all pods of its namespaces use then, as `kubectl top`
 * would tell it. Needs metrics-server.
 *
 * @throws Failure when there are no metrics
 */
export async function idleFigures(target: Target): Promise<Figure[]> {
  await delay(IDLE_MS);
  const config = kubeConfigOf(target);
  const api = config.makeApiClient(CoreV1Api);
  const { items: namespaces } = await api.listNamespace({ labelSelector: `${STACK_LABEL}=${target.stack}` });
  const metrics = new Metrics(config);
  const pods = await Promise.all(
    namespaces.map(({ metadata }) => topPods(api, metrics, metadata?.name ?? "")),
  );
  const sum = (resource: "CPU" | "Memory"): number =>
    pods.flat().reduce((total, pod) => total + Number(pod[resource].CurrentUsage), 0);
  if (sum("Memory") === 0) {
    throw new Failure(
      `there are no metrics of the pods of stack ${target.stack}`,
      "look at the log of metrics-server in namespace kube-system",
    );
  }
  return [
    figure(`memory of stack ${target.stack} after two idle minutes`, sum("Memory") / MEBIBYTE, "MiB"),
    figure(`CPU of stack ${target.stack} after two idle minutes`, sum("CPU"), "cores"),
  ];
}
