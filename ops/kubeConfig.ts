import { KubeConfig, VersionApi } from "@kubernetes/client-node";
import { Failure } from "../common/failure";
import { SettingsFailure } from "./replay/failure";
import type { StackOutputs } from "./replay/stack";

const TIMEOUT_SECONDS = 15;

/**
 * This shell's kubeconfig, on the context with which the stack was deployed.
 *
 * @throws SettingsFailure when the kubeconfig has no such context
 */
export function kubeConfigOf({
  kubernetesContext: context,
}: Pick<StackOutputs, "kubernetesContext">): KubeConfig {
  const config = new KubeConfig();
  config.loadFromDefault();
  if (typeof context !== "string") return config;
  if (config.getContextObject(context) === null) {
    throw new SettingsFailure(
      `the stack's Kubernetes context "${context}" is not in the kubeconfig`,
      "set KUBECONFIG to the kubeconfig with which the stack was deployed",
    );
  }
  config.setCurrentContext(context);
  return config;
}

/**
 * Makes sure that a cluster answers.
 *
 * @throws Failure when it does not, within 15 s
 */
export async function requireCluster(config: KubeConfig): Promise<void> {
  const server = config.getCurrentCluster()?.server ?? "of no kubeconfig";
  const late = AbortSignal.timeout(TIMEOUT_SECONDS * 1_000);
  const timeout = new Promise<never>((_, reject) => {
    late.addEventListener("abort", () => reject(new Error(`no answer within ${TIMEOUT_SECONDS} s`)));
  });
  try {
    await Promise.race([config.makeApiClient(VersionApi).getCode(), timeout]);
  } catch (error) {
    throw new Failure(
      `the cluster ${server} cannot be reached`,
      "nothing was changed: see that KUBECONFIG names the stack's cluster and that kubectl version reaches it, then run the command again",
      [error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)],
    );
  }
}
