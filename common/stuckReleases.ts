import { CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";

const resources = z.array(z.object({ type: z.string(), inputs: z.unknown().optional() }));
const releaseInputs = z.object({ name: z.string(), namespace: z.string() });

/** Name and namespace of each Helm release in a stack that `pulumi stack export` printed. */
export const helmReleases = z
  .object({ deployment: z.object({ resources: resources.nullish() }) })
  .transform(({ deployment }) =>
    (deployment.resources ?? [])
      .filter(({ type }) => type === "kubernetes:helm.sh/v3:Release")
      .flatMap(({ inputs }) => releaseInputs.safeParse(inputs).data ?? []),
  );

/** A release of the stack in a state that only a running Helm may leave it in. */
export interface StuckRelease {
  readonly namespace: string;
  readonly name: string;
  /** `pending-install`, `pending-upgrade` or `pending-rollback`. */
  readonly status: string;
  readonly revision: string;
  /** Secret that holds this revision: without it, the revision before is the last one again. */
  readonly secret: string;
  readonly created: Date | undefined;
}

/** Finds the releases that an interrupted Helm left pending: it refuses to touch them ever after. */
export async function stuckReleases(
  config: KubeConfig,
  releases: readonly { readonly name: string; readonly namespace: string }[],
): Promise<StuckRelease[]> {
  const core = config.makeApiClient(CoreV1Api);
  const found = await Promise.all(
    releases.map(async ({ name, namespace }) => {
      const { items } = await core.listNamespacedSecret({
        namespace,
        labelSelector: `owner=helm,name=${name},status in (pending-install,pending-upgrade,pending-rollback)`,
      });
      return items.map(({ metadata }) => ({
        namespace,
        name,
        status: metadata?.labels?.["status"] ?? "",
        revision: metadata?.labels?.["version"] ?? "",
        secret: metadata?.name ?? "",
        created: metadata?.creationTimestamp,
      }));
    }),
  );
  return found.flat();
}

/** Forgets the revision that was never finished. Objects that it made stay; the next update takes them over. */
export async function forgetRevision(config: KubeConfig, { namespace, secret }: StuckRelease): Promise<void> {
  await config.makeApiClient(CoreV1Api).deleteNamespacedSecret({ name: secret, namespace });
}
