import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type ClusterAccess, findClusterAccess, ownSurroundings } from "../settings/kubeconfig";
import type { Settings } from "../settings/settings";

/**
 * The only Kubernetes provider of the program; the default one is disabled in every stack file.
 *
 * Secrets change in place, as others know them by name; their content's checksum rolls the pods. ConfigMaps
 * keep generated names and are replaced on change, which rolls the pods by itself and lets the old
 * ReplicaSet keep its own configuration.
 *
 * The provider reads the kubeconfig itself, as kubectl does, so that no credentials get into the state: whoever may
 * preview may read that. What the state has is the name of the context, which `destroy` and `refresh` use, too.
 * @param settings which context; `clusterIdentifier` stands for the cluster, so that another context or
 * kubeconfig never replaces what runs
 * @param allowed resolves once the change is known to be possible; nothing is touched before
 * @throws pulumi.RunError if there is no kubeconfig, or the context is not in it
 */
export function kubernetesProvider(
  { kubernetes, stack }: Pick<Settings, "kubernetes" | "stack">,
  allowed: Promise<unknown>,
): k8s.Provider {
  const access = clusterAccessOf({ kubernetes });
  const gate = allowed.then((): pulumi.Resource[] => []);
  return new k8s.Provider(
    "kubernetes",
    {
      // Empty, as without the input the SDK takes the variable KUBECONFIG for it, which may name several files.
      kubeconfig: "",
      ...(access.from === "kubeconfig" ? { context: access.context } : {}),
      clusterIdentifier: kubernetes.clusterIdentifier ?? `temporal-stack-${stack}`,
      enableSecretMutable: true,
      enableConfigMapMutable: false,
      deleteUnreachable: false,
    },
    { dependsOn: gate },
  );
}

/**
 * The way into the cluster that the environment names.
 * @throws pulumi.RunError saying which file, what is wrong and what to do
 */
export function clusterAccessOf({ kubernetes }: Pick<Settings, "kubernetes">): ClusterAccess {
  const access = findClusterAccess(ownSurroundings(), kubernetes.context);
  if (access.from === "nowhere") throw new pulumi.RunError(access.problem);
  return access;
}
