/** A cluster that `npm run up` deploys to, however it came to be. */
export interface Cluster {
  /** For people: what kind of cluster this is and where. */
  readonly description: string;
  /** Path of the kubeconfig, and the context in it. */
  readonly kubeconfig: string;
  readonly context: string;
  /** Whether the cluster's network drops what NetworkPolicies do not allow; unknown for a cluster we did not make. */
  readonly networkPolicies: "enforced" | "notEnforced" | "unknown";
  /** Environment for programs that build and push images. */
  readonly imageEnvironment: Readonly<Record<string, string>>;
  /** What only this machine knows of the program's settings: laid over `Pulumi.local.yaml`. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export type ClusterWay = "context" | "kind" | "native";
