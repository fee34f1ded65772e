import { KubeConfig } from "@kubernetes/client-node";
import type { Cluster } from "../../common/localStack";

/** The way to a cluster of `npm run up`. */
export function kubeConfigOf({ kubeconfig, context }: Pick<Cluster, "kubeconfig" | "context">): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  config.setCurrentContext(context);
  return config;
}
