import type { KubeConfig } from "@kubernetes/client-node";
import type { Check } from "../check";
import { type Finding, failed, ok, warning } from "../finding";

/** What came of the way into the cluster. */
export interface Reached {
  /** Address of the API server; undefined: there is no way to one. */
  readonly server: string | undefined;
  /** Why it does not answer; undefined if it does. */
  readonly problem?: string | undefined;
}

/** The cluster is there, and it is the one that the settings name. */
export const cluster = (reached: Reached): Check => ({
  name: "cluster",
  about: "the cluster answers, and is the stack's",
  examine: async (subject) => {
    if (reached.problem !== undefined) return reachFindings(reached);
    const { clusterUid } = subject.settings.kubernetes;
    return [
      ...reachFindings(reached),
      ...uidFindings(clusterUid, clusterUid === undefined ? undefined : await subject.cluster.uid()),
    ];
  },
});

export function reachFindings({ server, problem }: Reached): Finding[] {
  return problem === undefined
    ? [ok(`${server ?? "the cluster"} answers`)]
    : [
        failed(
          `the cluster ${server === undefined ? "" : `${server} `}cannot be reached: ${problem}`,
          "see that KUBECONFIG and temporal-stack:kubernetes.context name the stack's cluster and that kubectl version reaches it",
        ),
      ];
}

/**
 * @param wanted UID of the settings
 * @param found UID of namespace kube-system
 */
export function uidFindings(wanted: string | undefined, found: string | undefined): Finding[] {
  if (wanted === undefined) return [];
  if (wanted === found) return [ok("it is the cluster of temporal-stack:kubernetes.clusterUid")];
  return found === undefined
    ? [warning("which cluster this is cannot be seen", "see that namespace kube-system can be read")]
    : [
        failed(
          `the UID of its namespace kube-system is ${found}, and temporal-stack:kubernetes.clusterUid is ${wanted}`,
          "choose the right cluster with KUBECONFIG or kubernetes.context, or correct clusterUid",
        ),
      ];
}

/** Address of the API server of a kubeconfig. */
export const serverOf = (config: KubeConfig): string | undefined => config.getCurrentCluster()?.server;
