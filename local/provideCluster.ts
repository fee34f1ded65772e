import type { Cluster, ClusterWay } from "../common/localStack";
import { existingCluster } from "./cluster/context";
import { provideDeployer } from "./cluster/native/deployer";
import { adminKubeconfig } from "./cluster/native/pki";
import { startKind } from "./cluster/kind";
import { nativeCluster } from "./cluster/native";
import { startChartRepository } from "./cluster/native/chartRepository";
import { installClusterServices, startControlPlane, startImageServices } from "./cluster/native/cluster";
import { Failure } from "../common/failure";
import { runStep, runSteps, step } from "../common/progress";
import { recordedCluster } from "../common/localStack";
import { usesCharts } from "./target";

/** Which cluster of the user's own, and where it pulls the worker's image from. */
export interface ClusterOptions {
  readonly context?: string;
  readonly repository?: string;
  /** On this machine's own cluster: deploy with the permissions of `npm run deployer` only. */
  readonly deployer?: boolean;
}

/** The cluster that an earlier run was pointed at. */
function rememberedCluster(): Cluster {
  const cluster = recordedCluster()?.cluster;
  if (cluster === undefined) throw new Failure("no cluster is known yet", "name one with --context NAME");
  return cluster;
}

/**
 * Provides the cluster to deploy a stack to, step by step. On this machine's own cluster, the charts and their images
 * are this machine's own, too.
 */
export async function provideCluster(
  way: ClusterWay,
  stack: string,
  options: ClusterOptions,
): Promise<Cluster> {
  switch (way) {
    case "context":
      return options.context === undefined
        ? rememberedCluster()
        : existingCluster(options.context, options.repository);
    case "kind":
      return runStep("kind cluster and registry", startKind);
    case "native":
      await runSteps([
        step("container engine and image registry", startImageServices),
        step("Kubernetes control plane and node", startControlPlane),
        step("cluster DNS and storage", installClusterServices),
        ...(usesCharts(stack) ? [step("chart repository", startChartRepository)] : []),
      ]);
      return runStep("images for the stack", async () => {
        const kubeconfig = options.deployer === true ? await provideDeployer(stack) : adminKubeconfig;
        return nativeCluster(usesCharts(stack), kubeconfig);
      });
  }
}
