import type { Settings } from "./settings";
import type { NamespaceLookup } from "./guards/namespaceOwnership";
import { kubeconfigOf } from "./kubernetesProvider";

/** Seconds to wait for the API server. */
const TIMEOUT_SECONDS = 10;

/**
 * Asks the cluster for a namespace. The client is loaded only here, as most updates create no namespace.
 * @returns what it is, never a failure
 */
export async function lookUpNamespace(
  settings: Pick<Settings, "kubernetes">,
  namespace: string,
): Promise<NamespaceLookup> {
  const { ApiException, CoreV1Api, KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  config.loadFromString(kubeconfigOf(settings));
  if (settings.kubernetes.context !== undefined) config.setCurrentContext(settings.kubernetes.context);
  try {
    const late = new Promise<never>((_, reject) => {
      setTimeout(() => {
        reject(new Error(`no answer within ${TIMEOUT_SECONDS} s`));
      }, TIMEOUT_SECONDS * 1000).unref();
    });
    const answer = await Promise.race([
      config.makeApiClient(CoreV1Api).readNamespace({ name: namespace }),
      late,
    ]);
    return { found: "namespace", labels: answer.metadata?.labels ?? {} };
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return { found: "none" };
    const reason = error instanceof ApiException ? `the API server answers ${error.code}` : String(error);
    return { found: "unknown", reason };
  }
}
