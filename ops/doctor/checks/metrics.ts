import type { Settings } from "../../../settings/settings";
import type { Check } from "../check";
import { type Finding, ok, warning } from "../finding";

/** The metrics API, by which the autoscalers of the worker groups see how busy pods are. */
export const metrics: Check = {
  name: "metrics",
  about: "metrics API for the autoscalers",
  examine: async ({ settings, cluster }) =>
    metricsFindings(settings, await cluster.aggregatedResources("metrics.k8s.io", "v1beta1")),
};

/**
 * @param served resources of the metrics API; undefined if the cluster has none, "unavailable" if its server does not
 *   answer
 */
export function metricsFindings(
  { workers }: Pick<Settings, "workers">,
  served: readonly string[] | "unavailable" | undefined,
): Finding[] {
  if (typeof served === "object" && served.includes("pods")) return [ok("the metrics API is there")];
  const scaling = workers.filter(({ replicas }) => replicas.max > replicas.min);
  if (scaling.length === 0) return [ok("no metrics API, and no worker group that it would scale")];
  const groups = scaling
    .map(
      ({ name, replicas }) => `worker group ${name} stays at ${replicas.min} of at most ${replicas.max} pods`,
    )
    .join("; ");
  return served === "unavailable"
    ? [
        warning(
          `the metrics API is registered, but its server does not answer: ${groups}`,
          "see the conditions of kubectl get apiservice v1beta1.metrics.k8s.io, and the logs of metrics-server",
        ),
      ]
    : [
        warning(
          `the cluster has no metrics API: ${groups}`,
          "install metrics-server, or set replicas.max to replicas.min",
        ),
      ];
}
