import { setTimeout as delay } from "node:timers/promises";
import { CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import { Failure } from "../../common/failure";
import { CHART_SERVER } from "../../components/manifests/temporalNames";

const POLL_MS = 1_000;

/**
 * Waits until every server pod that an update replaced is gone: a release is ready while old pods still drain,
 * and those would log in with the old password.
 *
 * @param graceSeconds seconds that Kubernetes gives a pod to stop
 * @throws Failure naming the pods that stay
 */
export async function replacedPodsGone(
  config: KubeConfig,
  namespace: string,
  graceSeconds: number,
): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  const labelSelector = Object.entries(CHART_SERVER)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const deadline = Date.now() + (graceSeconds + 60) * 1_000;
  for (;;) {
    const { items } = await core.listNamespacedPod({ namespace, labelSelector });
    const leaving = items.filter(({ metadata }) => metadata?.deletionTimestamp !== undefined);
    if (leaving.length === 0) return;
    if (Date.now() > deadline) {
      throw new Failure(
        `pods that were replaced are not gone after ${graceSeconds + 60} s`,
        "see what holds them (kubectl describe), then run the command again: it carries on from here",
        leaving.map(({ metadata }) => `${namespace}/${metadata?.name ?? ""}`),
      );
    }
    await delay(POLL_MS);
  }
}
