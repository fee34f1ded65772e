import type { KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { kubeConfigOf } from "./kubeConfig";
import type { StackCli } from "./stackCli";
import type { StackConfig } from "./config";

const kubernetesSection = z.object({ context: z.string().optional() });

/**
 * The way to the cluster of a stack: that of `npm run up`, or this shell's, on the context that the settings name.
 *
 * @throws SettingsFailure as {@link kubeConfigOf}
 */
export function clusterOf({ cluster }: Pick<StackCli, "cluster">, config: StackConfig): Promise<KubeConfig> {
  const section = kubernetesSection.safeParse(config["temporal-stack:kubernetes"]?.objectValue);
  const kubernetesContext = cluster?.context ?? section.data?.context;
  return kubeConfigOf({ kubernetesContext }, cluster?.kubeconfig);
}
