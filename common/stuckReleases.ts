import { ApiException, CoreV1Api, type KubeConfig, type V1Secret } from "@kubernetes/client-node";
import { z } from "zod";
import { exportedStack, namespacesAmong, type StateResource } from "./exportedStack";

const RELEASE_TYPE = "kubernetes:helm.sh/v3:Release";

const releaseInputs = z.object({ name: z.string(), namespace: z.string() });

/** What a stack's state knows of a Helm release. */
export type Origin =
  /** The state has it. */
  | "recorded"
  /** Its creation was interrupted: the state does not have it, whatever became of it in the cluster. */
  | "creating"
  /** The state has its namespace only: its interrupted creation was cleared without a look at the cluster. */
  | "unrecorded";

/** A Helm release that a stack has, or may have left behind. */
export interface ReleaseOfStack {
  readonly name: string;
  readonly namespace: string;
  readonly origin: Origin;
}

/**
 * Each Helm release that a stack has, or may have left behind.
 *
 * @param exported what `pulumi stack export` printed
 * @param names names of the releases that the program makes
 */
export function helmReleases(exported: unknown, names: readonly string[]): ReleaseOfStack[] {
  const { resources, pending } = exportedStack(exported);
  const ofType = (type: string, from: readonly StateResource[]) =>
    from.filter((entry) => entry.type === type).map(({ inputs }) => inputs);
  const inputsOf = (from: readonly StateResource[]) =>
    ofType(RELEASE_TYPE, from).flatMap((inputs) => releaseInputs.safeParse(inputs).data ?? []);
  const interrupted = pending.filter(({ type }) => type === "creating");
  const found: ReleaseOfStack[] = [
    ...inputsOf(resources).map((release) => ({ ...release, origin: "recorded" as const })),
    ...inputsOf(interrupted.map((operation) => operation.resource)).map((release) => ({
      ...release,
      origin: "creating" as const,
    })),
    ...namespacesAmong(resources).flatMap((namespace) =>
      names.map((name) => ({ name, namespace, origin: "unrecorded" as const })),
    ),
  ];
  const first = new Map<string, ReleaseOfStack>();
  for (const release of found) {
    const key = `${release.namespace}/${release.name}`;
    if (!first.has(key)) first.set(key, release);
  }
  return [...first.values()];
}

/** A revision of a release without which Helm would go on, and with which it refuses to. */
export interface StuckRelease {
  readonly namespace: string;
  readonly name: string;
  /** `pending-install`, `pending-upgrade` or `pending-rollback`; any other if the state has no such release. */
  readonly status: string;
  readonly revision: string;
  /** Secret that holds this revision: without it, the revision before is the last one again. */
  readonly secret: string;
  readonly created: Date | undefined;
}

/**
 * Finds the releases that an interrupted update left in a form that Helm refuses to touch ever after: pending ones,
 * and first revisions of which the state knows nothing, under whose name Helm installs no other.
 */
export async function stuckReleases(
  config: KubeConfig,
  releases: readonly ReleaseOfStack[],
): Promise<StuckRelease[]> {
  const core = config.makeApiClient(CoreV1Api);
  const found = await Promise.all(
    releases.map(async ({ name, namespace, origin }) => {
      const { items } = await core.listNamespacedSecret({
        namespace,
        labelSelector: `owner=helm,name=${name}`,
      });
      const revisions = items.map((secret) => revisionOf(namespace, name, secret));
      return revisions.filter((revision) => isStuck(revision, origin, revisions.length));
    }),
  );
  return found.flat();
}

const PENDING: readonly string[] = ["pending-install", "pending-upgrade", "pending-rollback"];

/** Only the first and only revision can be what an interrupted creation made: any other is somebody else's. */
function isStuck({ status, revision }: StuckRelease, origin: Origin, revisions: number): boolean {
  if (origin === "recorded") return PENDING.includes(status);
  const first = revision === "1" && revisions === 1;
  return first && (origin === "creating" || status === "pending-install");
}

function revisionOf(namespace: string, name: string, { metadata }: V1Secret): StuckRelease {
  return {
    namespace,
    name,
    status: metadata?.labels?.["status"] ?? "",
    revision: metadata?.labels?.["version"] ?? "",
    secret: metadata?.name ?? "",
    created: metadata?.creationTimestamp,
  };
}

/**
 * Forgets a revision. Objects that it made stay; the next update takes them over. A revision that is gone already
 * is forgotten.
 */
export async function forgetRevision(config: KubeConfig, { namespace, secret }: StuckRelease): Promise<void> {
  try {
    await config.makeApiClient(CoreV1Api).deleteNamespacedSecret({ name: secret, namespace });
  } catch (error) {
    if (!(error instanceof ApiException) || error.code !== 404) throw error;
  }
}
