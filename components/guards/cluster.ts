import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../settings/settings";

/** What a kubeconfig's context leads to. */
export type ClusterLookup =
  /** UID of its namespace `kube-system`, which lives as long as the cluster. */
  | { readonly found: "cluster"; readonly uid: string }
  /** It answers, but does not let this identity read that namespace. */
  | { readonly found: "forbidden"; readonly reason: string }
  /** It does not answer. */
  | { readonly found: "unknown"; readonly reason: string };

type ClusterSettings = Pick<Settings, "kubernetes" | "stack">;

/**
 * Why nothing may be deployed to a cluster: the stack is on another, or the settings name another.
 * @param recorded UID of the cluster that the stack was first deployed to; undefined if nobody knows
 */
export function clusterProblem(
  { kubernetes: { clusterUid, context }, stack }: ClusterSettings,
  recorded: string | undefined,
  lookup: ClusterLookup,
): string | undefined {
  if (lookup.found !== "cluster") return undefined;
  const expected = clusterUid ?? recorded;
  if (expected === undefined || expected === lookup.uid) return undefined;
  const here = `${context === undefined ? "the current context of the kubeconfig" : `context "${context}"`} leads to the cluster ${lookup.uid} (UID of its namespace kube-system)`;
  const choose = "Choose the right one with temporal-stack:kubernetes.context or KUBECONFIG";
  return clusterUid === undefined
    ? `${here}, but stack "${stack}" is deployed to the cluster ${expected}. ${choose}. To move the stack, set temporal-stack:kubernetes.clusterUid to ${lookup.uid}, run pulumi refresh --run-program, then pulumi up: the data stays behind in the old cluster`
    : `${here}, but temporal-stack:kubernetes.clusterUid is ${expected}. ${choose}, or correct clusterUid`;
}

/** What somebody should know who deploys although the cluster could not be compared. */
export function clusterWarning(recorded: string | undefined, lookup: ClusterLookup): string | undefined {
  if (lookup.found === "cluster") {
    return recorded === undefined
      ? `this stack has no record of its cluster: set temporal-stack:kubernetes.clusterUid to ${lookup.uid}, so that another one is refused`
      : undefined;
  }
  if (lookup.found === "forbidden" || recorded !== undefined) {
    return `cannot see whether this is the stack's cluster, as namespace kube-system cannot be read: ${lookup.reason}${lookup.found === "forbidden" ? "; npm run deployer prints the permission" : ""}`;
  }
  return undefined;
}

/**
 * Compares the cluster with the one on record, before anything in it is touched.
 * @returns resolves if it is the stack's own, as far as can be seen; never if it is refused ({@link unlessRefused})
 * @throws pulumi.RunError (as a rejection that nobody handles) if it is another, or if an update cannot see which
 */
export function refuseOtherCluster(
  settings: ClusterSettings,
  recorded: pulumi.Input<string | undefined>,
  cluster: Promise<ClusterLookup>,
): Promise<void> {
  return new Promise((resolve) => {
    pulumi.output(recorded).apply(async (uid) => {
      const lookup = await cluster;
      const problem = clusterProblem(settings, uid, lookup);
      if (problem !== undefined) throw new pulumi.RunError(`${problem}.\nNothing was changed.`);
      const warning = clusterWarning(settings.kubernetes.clusterUid ?? uid, lookup);
      if (warning !== undefined) {
        if (lookup.found === "unknown" && !pulumi.runtime.isDryRun()) throw new pulumi.RunError(warning);
        await pulumi.log.warn(warning);
      }
      resolve();
    });
  });
}

/** Refuses to record no cluster at all, because it did not answer: no later update could be compared with it. */
export function recordedClusterGuard(cluster: Promise<ClusterLookup>): pulumi.ResourceHookBinding {
  const hook = new pulumi.ResourceHook("recorded-cluster", async () => {
    const lookup = await cluster;
    if (lookup.found === "unknown") throw new Error(`cannot see which cluster this is: ${lookup.reason}`);
  });
  return { beforeCreate: [hook] };
}
