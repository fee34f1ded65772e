import { delimiter } from "node:path";
import { Failure } from "../../common/failure";
import type { Cluster } from "../../common/localStack";
import { findClusterAccess, kubeconfigFiles, ownSurroundings } from "../../settings/kubeconfig";

/** Why a context cannot be used; nothing when it can. */
export function contextProblems(context: string): string[] {
  const access = findClusterAccess(ownSurroundings(), context);
  return access.from === "nowhere"
    ? [`the context "${context}" is not in the kubeconfig: ${access.problem}`]
    : [];
}

/**
 * The cluster behind a context of the user's kubeconfig. Nothing is installed in it but the stack.
 *
 * @param context name of the context
 * @param repository where the worker image is pushed; the cluster has to be able to pull from there
 * @throws Failure when the context is not in the kubeconfig or no repository is given
 */
export function existingCluster(context: string, repository: string | undefined): Cluster {
  const access = findClusterAccess(ownSurroundings(), context);
  if (access.from === "nowhere") {
    throw new Failure(`the context "${context}" is not in the kubeconfig`, "name another one", [
      access.problem,
    ]);
  }
  if (repository === undefined) {
    throw new Failure(
      `the cluster "${context}" needs an image repository that it can pull the worker from`,
      "add --repository REGISTRY/NAME, after docker login to that registry",
    );
  }
  return {
    description: `the cluster of context ${context}`,
    kubeconfig: kubeconfigFiles(ownSurroundings()).join(delimiter),
    context,
    networkPolicies: "unknown",
    imageEnvironment: {},
    settings: { kubernetes: { context }, workerImage: { repository } },
  };
}
