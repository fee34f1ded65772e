import { execa } from "execa";
import { registryHost } from "./native/addresses";
import { dockerBinary, dockerHost } from "./native/docker";
import { localImages, provideImage, stackImages } from "./native/images";
import { adminKubeconfig } from "./native/pki";
import { runningPid } from "./native/process";
import type { Cluster } from "./cluster";

/** The single-node Kubernetes on this machine, once it is started. */
export async function nativeCluster(): Promise<Cluster> {
  const references: Record<string, string> = {};
  for (const name of stackImages) references[name] = await provideImage(localImages[name]);
  const { stdout: context } = await execa("grep", ["-oP", "(?<=^current-context: ).*", adminKubeconfig]);
  return {
    description: "single-node Kubernetes on this machine",
    kubeconfig: adminKubeconfig,
    context: context.trim(),
    networkPolicies: runningPid("kube-network-policies") === undefined ? "notEnforced" : "enforced",
    imageEnvironment: {
      DOCKER_HOST: dockerHost,
      TEMPORAL_STACK_DOCKER: dockerBinary,
    },
    settings: {
      kubernetes: { context: context.trim() },
      temporal: { image: references["temporal"] },
      workerImage: {
        repository: `${registryHost}/temporal-stack/worker`,
        buildNetwork: "host",
        baseImages: { build: references["nodeBuild"], runtime: references["nodeRuntime"] },
      },
    },
  };
}
