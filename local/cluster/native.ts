import { KubeConfig } from "@kubernetes/client-node";
import { registryHost } from "./native/addresses";
import { provideChartImages } from "./native/chartImages";
import { chartRepository } from "./native/chartRepository";
import { dockerBinary, dockerHost } from "./native/docker";
import { localImages, provideImage } from "./native/images";
import { runningPid } from "./native/process";
import type { Cluster } from "../../common/localStack";
import { MACHINE_PLATFORM } from "./platform";

/**
 * The single-node Kubernetes on this machine, once it is started, with the images of the stack in its registry.
 *
 * @param charts whether the Temporal server comes from a chart; else from the dev server's image
 * @param kubeconfig of whoever deploys
 */
export async function nativeCluster(charts: boolean, kubeconfig: string): Promise<Cluster> {
  const server = charts ? await chartSettings() : await devServerSettings();
  const baseImages = {
    build: await provideImage(localImages.nodeBuild),
    runtime: await provideImage(localImages.nodeRuntime),
  };
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const context = config.getCurrentContext();
  return {
    description: "single-node Kubernetes on this machine",
    kubeconfig,
    context,
    networkPolicies: runningPid("kube-network-policies") === undefined ? "notEnforced" : "enforced",
    imageEnvironment: {
      DOCKER_HOST: dockerHost,
      TEMPORAL_STACK_DOCKER: dockerBinary,
    },
    settings: {
      kubernetes: { context },
      workerImage: {
        repository: `${registryHost}/temporal-stack/worker`,
        platform: MACHINE_PLATFORM,
        buildNetwork: "host",
        baseImages,
      },
      ...server,
    },
  };
}

/** Settings that are laid over a stack's own. */
type MachineSettings = Readonly<Record<string, unknown>>;

const devServerSettings = async (): Promise<MachineSettings> => ({
  temporal: { image: await provideImage(localImages.temporal) },
});

async function chartSettings(): Promise<MachineSettings> {
  const images = await provideChartImages();
  return {
    charts: { temporalRepository: chartRepository, cloudNativePgRepository: chartRepository },
    temporal: {
      images: { server: images.temporalServer, adminTools: images.temporalAdminTools },
      ui: { image: images.temporalUi },
    },
    postgres: {
      image: images.postgres,
      operator: { image: images.cloudNativePgOperator, gateImage: images.curl },
    },
  };
}
