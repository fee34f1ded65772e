import { KubeConfig } from "@kubernetes/client-node";
import { SettingsFailure } from "./replay/failure";
import type { StackOutputs } from "./replay/stack";

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
