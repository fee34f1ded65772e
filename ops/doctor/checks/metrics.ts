import type { Settings } from "../../../settings/settings";
import type { Check } from "../check";
import { type Finding, ok, warning } from "../finding";

/** The metrics API, by which the autoscalers of the worker groups see how busy pods are. */
export const metrics: Check = {
  name: "metrics",
  about: "metrics API for the autoscalers",
  examine: async ({ settings, cluster }) =>
    metricsFindings(settings, await cluster.resources("metrics.k8s.io", "v1beta1")),
};

/** @param served resources of the metrics API; undefined if the cluster has none */
export function metricsFindings(
  { workers }: Pick<Settings, "workers">,
  served: readonly string[] | undefined,
): Finding[] {
  if (served?.includes("pods") === true) return [ok("the metrics API is there")];
  const scaling = workers.filter(({ replicas }) => replicas.max > replicas.min);
  if (scaling.length === 0) return [ok("no metrics API, and no worker group that it would scale")];
  return [
    warning(
      `the cluster has no metrics API: ${scaling.map(({ name, replicas }) => `worker group ${name} stays at ${replicas.min} of at most ${replicas.max} pods`).join("; ")}`,
      "install metrics-server, or set replicas.max to replicas.min",
    ),
  ];
}
