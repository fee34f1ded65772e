import { homedir } from "node:os";
import { KubeConfig } from "@kubernetes/client-node";
import { Failure } from "../../common/failure";
import type { Cluster } from "../../common/localStack";
import { findClusterAccess, useAccess } from "../../settings/kubeconfig";

/**
 * The way to a cluster of `npm run up`.
 * @throws Failure when its kubeconfig is gone, or has no such context
 */
export function kubeConfigOf({ kubeconfig, context }: Pick<Cluster, "kubeconfig" | "context">): KubeConfig {
  const access = findClusterAccess({ variable: kubeconfig, home: homedir(), inPod: false }, context);
  if (access.from === "nowhere") {
    throw new Failure("the cluster's kubeconfig cannot be used", "run npm run up again", [access.problem]);
  }
  const config = new KubeConfig();
  useAccess(config, access);
  return config;
}
