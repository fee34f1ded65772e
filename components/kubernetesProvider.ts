import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { parse as parseYaml } from "yaml";
import type { Settings } from "../settings/settings";
import { isMapping } from "../settings/mapping";

/**
 * The only Kubernetes provider of the program; the default one is disabled in every stack file.
 *
 * Secrets change in place, as others know them by name; their content's checksum rolls the pods. ConfigMaps
 * keep generated names and are replaced on change, which rolls the pods by itself and lets the old
 * ReplicaSet keep its own configuration.
 * @param settings which context; `clusterIdentifier` stands for the cluster, so that a renewed
 * kubeconfig never replaces what runs
 * @param allowed resolves once the change is known to be possible; nothing is touched before
 * @throws pulumi.RunError if no kubeconfig can be read, or the context is not in it
 */
export function kubernetesProvider(
  { kubernetes, stack }: Pick<Settings, "kubernetes" | "stack">,
  allowed: Promise<unknown>,
): k8s.Provider {
  const kubeconfig = kubeconfigOf({ kubernetes });
  return new k8s.Provider("kubernetes", {
    kubeconfig: pulumi.secret(allowed.then(() => kubeconfig)),
    ...(kubernetes.context === undefined ? {} : { context: kubernetes.context }),
    clusterIdentifier: kubernetes.clusterIdentifier ?? `temporal-stack-${stack}`,
    enableSecretMutable: true,
    enableConfigMapMutable: false,
    deleteUnreachable: false,
  });
}

/**
 * Content of the kubeconfig that the environment names.
 * @throws pulumi.RunError as {@link readKubeconfig}
 */
export function kubeconfigOf({ kubernetes }: Pick<Settings, "kubernetes">): string {
  return readKubeconfig(process.env["KUBECONFIG"], homedir(), kubernetes.context);
}

/**
 * Content of the kubeconfig, checked.
 * @param variable value of `KUBECONFIG`
 * @param home the user's home directory, for `.kube/config`
 * @param context context that must be in it
 * @throws pulumi.RunError saying which file, what is wrong and what to do
 */
export function readKubeconfig(
  variable: string | undefined,
  home: string,
  context: string | undefined,
): string {
  const named = (variable ?? "").split(delimiter).filter((path) => path !== "");
  if (named.length > 1) {
    throw new pulumi.RunError(
      `KUBECONFIG names ${String(named.length)} files, but the deployment must not depend on how they are merged here; write one with \`kubectl config view --flatten > FILE\` and name that`,
    );
  }
  const file = named[0] ?? join(home, ".kube", "config");
  const content = readText(file);
  if (content === undefined) {
    throw new pulumi.RunError(
      `no kubeconfig at ${file}: set KUBECONFIG to the kubeconfig of the cluster (for stack "local", \`npm run up\` makes both and prints the line to source)`,
    );
  }
  const contexts = contextsOf(content);
  if (contexts === undefined) {
    throw new pulumi.RunError(`${file} is not a kubeconfig: expected a YAML mapping with a list "contexts"`);
  }
  if (context !== undefined && !contexts.includes(context)) {
    throw new pulumi.RunError(
      `temporal-stack:kubernetes.context names "${context}", which is not in ${file}; there are: ${contexts.join(", ")}`,
    );
  }
  return content;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function contextsOf(kubeconfig: string): string[] | undefined {
  try {
    const value: unknown = parseYaml(kubeconfig);
    const contexts = isMapping(value) ? value["contexts"] : undefined;
    if (!Array.isArray(contexts)) return undefined;
    return contexts.flatMap((entry: unknown) => (isMapping(entry) ? [String(entry["name"])] : []));
  } catch {
    return undefined;
  }
}
