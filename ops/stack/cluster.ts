import type { KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { kubeConfigOf } from "./kubeConfig";
import type { StackCli } from "../../common/pulumi";
import type { StackConfig } from "./config";

const kubernetesSection = z.object({ context: z.string().optional() });

/**
 * The way to the cluster of a stack: that of `npm run up`, or this shell's, on the context that the settings name.
 *
 * @throws UsageFailure as {@link kubeConfigOf}
 */
export function clusterOf({ cluster }: Pick<StackCli, "cluster">, config: StackConfig): Promise<KubeConfig> {
  const section = kubernetesSection.safeParse(config["temporal-stack:kubernetes"]?.objectValue);
  return kubeConfigOf({ cluster }, cluster?.context ?? section.data?.context);
}
