import { KubeConfig, VersionApi } from "@kubernetes/client-node";
import { z } from "zod";
import { Failure } from "../../common/failure";
import type { StackCli } from "./cli";
import type { StackConfig } from "./config";

const TIMEOUT_MS = 10_000;

const kubernetesSection = z.object({ context: z.string().optional() });

/** The context of the kubeconfig that a stack's settings name; undefined: its current one. */
export function contextOf(config: StackConfig): string | undefined {
  const section = kubernetesSection.safeParse(config["temporal-stack:kubernetes"]?.objectValue);
  return section.success ? section.data.context : undefined;
}

/**
 * The way to a stack's cluster.
 *
 * @param context context of the kubeconfig; undefined: its current one
 * @throws Failure when the kubeconfig does not have it
 */
export function kubeConfigOf(
  { cluster }: Pick<StackCli, "cluster">,
  context: string | undefined,
): KubeConfig {
  const config = new KubeConfig();
  if (cluster === undefined) config.loadFromDefault();
  else config.loadFromFile(cluster.kubeconfig);
  const wanted = cluster?.context ?? context;
  if (wanted === undefined) return config;
  if (config.getContextObject(wanted) === null) {
    throw new Failure(
      `the stack's Kubernetes context "${wanted}" is not in the kubeconfig`,
      "set KUBECONFIG to the kubeconfig with which the stack is deployed",
    );
  }
  config.setCurrentContext(wanted);
  return config;
}

/**
 * Asks the cluster whether it is there. Pulumi's provider does not tell: without an answer it previews from what the
 * last update has left in the state.
 *
 * @returns why it cannot be reached; undefined if it answers
 */
export async function unreachableReason(config: KubeConfig): Promise<string | undefined> {
  try {
    const late = new Promise<never>((_, reject) => {
      setTimeout(() => {
        reject(new Error(`no answer within ${TIMEOUT_MS / 1_000} s`));
      }, TIMEOUT_MS).unref();
    });
    await Promise.race([config.makeApiClient(VersionApi).getCode(), late]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  }
}
