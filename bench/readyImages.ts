import { AppsV1Api, CoreV1Api } from "@kubernetes/client-node";
import { kubeConfigOf } from "../local/cluster/clusterAccess";
import type { StackOutputs } from "../common/stackOutputs";
import type { Target } from "../common/localStack";

/** What the pods of workers run. */
export interface RunningImages {
  /** Images of all of them, each once. */
  readonly images: readonly string[];
  /** How many are not ready, or still missing. */
  readonly unready: number;
}

/** Looks at the pods of every worker group that are not on their way out. */
export async function readyImages(target: Target, workers: StackOutputs["workers"]): Promise<RunningImages> {
  const config = kubeConfigOf(target);
  const [apps, core] = [config.makeApiClient(AppsV1Api), config.makeApiClient(CoreV1Api)];
  const groups = await Promise.all(
    workers.map(async ({ namespace, deployment: name }) => {
      const { spec } = await apps.readNamespacedDeployment({ name, namespace });
      const labelSelector = Object.entries(spec?.selector.matchLabels ?? {})
        .map(([key, value]) => `${key}=${value}`)
        .join(",");
      const { items } = await core.listNamespacedPod({ namespace, labelSelector });
      const pods = items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
      const ready = pods.filter(({ status }) =>
        status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True"),
      );
      const images = pods.flatMap((pod) => pod.spec?.containers.map(({ image }) => image ?? "") ?? []);
      return { images, unready: Math.max(spec?.replicas ?? 1, pods.length) - ready.length };
    }),
  );
  return {
    images: [...new Set(groups.flatMap(({ images }) => images))],
    unready: groups.reduce((sum, { unready }) => sum + unready, 0),
  };
}
