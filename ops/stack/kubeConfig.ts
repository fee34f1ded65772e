import type { KubeConfig } from "@kubernetes/client-node";
import { Failure } from "../../common/failure";
import type { StackCli } from "../../common/pulumi";
import { UsageFailure } from "../../common/usageFailure";
import { clientConfig, findClusterAccess, ownSurroundings } from "../../settings/kubeconfig";

/**
 * The way to a stack's cluster, on the context with which the stack was deployed.
 *
 * @param cli of the stack: it knows the kubeconfig of one that `npm run up` deployed; for another it is this shell's
 * @param context with which the stack was deployed; default: the current one
 * @throws UsageFailure when there is no kubeconfig, it has no such context, or its entries are incomplete
 */
export async function kubeConfigOf(
  { cluster }: Pick<StackCli, "cluster">,
  context: string | null | undefined = cluster?.context,
): Promise<KubeConfig> {
  const access = findClusterAccess(ownSurroundings(cluster?.kubeconfig), context ?? undefined);
  if (access.from === "nowhere") {
    throw new UsageFailure(
      "the stack's cluster is not in the kubeconfig",
      "set KUBECONFIG to the kubeconfig with which the stack was deployed",
      [access.problem],
    );
  }
  try {
    return await clientConfig(access);
  } catch (error) {
    throw new UsageFailure(
      "the kubeconfig cannot be used",
      "see that kubectl version takes it, then run the command again",
      [error instanceof Error ? error.message : String(error)],
    );
  }
}

/**
 * Asks a cluster whether it is there. Pulumi's provider does not tell: without an answer it previews from what the
 * last update has left in the state.
 *
 * @returns why it cannot be reached; undefined if it answers in time
 */
export async function unreachableReason(
  config: KubeConfig,
  timeoutSeconds = 10,
): Promise<string | undefined> {
  try {
    const { VersionApi } = await import("@kubernetes/client-node");
    const late = new Promise<never>((_, reject) => {
      setTimeout(() => {
        reject(new Error(`no answer within ${timeoutSeconds} s`));
      }, timeoutSeconds * 1_000).unref();
    });
    await Promise.race([config.makeApiClient(VersionApi).getCode(), late]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  }
}

/**
 * Makes sure that a cluster answers.
 *
 * @throws Failure when it does not, within 15 s
 */
export async function requireCluster(config: KubeConfig): Promise<void> {
  const reason = await unreachableReason(config, 15);
  if (reason === undefined) return;
  const server = config.getCurrentCluster()?.server ?? "of no kubeconfig";
  throw new Failure(
    `the cluster ${server} cannot be reached`,
    "nothing was changed: see that KUBECONFIG names the stack's cluster and that kubectl version reaches it, then run the command again",
    [reason],
  );
}
