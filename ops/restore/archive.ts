import { z } from "zod";
import type { Mapping } from "../../settings/mapping";

/** A base backup as its Backup object tells of it. */
export interface BaseBackup {
  readonly name: string;
  /** As the store knows it, which `recoveryTarget.backupID` asks for; only a completed one has it. */
  readonly id: string | undefined;
  readonly state: "completed" | "failed" | "running";
  /** What can be restored begins with its end. */
  readonly endedAt: Date | undefined;
  /** Why it failed. */
  readonly error: string | undefined;
}

/** Whether the log reaches the store. */
export type Archiving =
  | { readonly state: "works" }
  | { readonly state: "fails"; readonly message: string; readonly since: Date | undefined }
  /** Nothing was archived yet, or there is no such Cluster. */
  | { readonly state: "unknown" };

/** What there is of one generation to restore. */
export interface Archive {
  readonly clusterName: string;
  /** Whether the Cluster is there; its archive outlives it. */
  readonly exists: boolean;
  /** Newest first. */
  readonly backups: readonly BaseBackup[];
  /** First moment that can be restored. */
  readonly first: Date | undefined;
  /** Last moment of which it is certain that its log is in the store. */
  readonly last: Date | undefined;
  readonly archiving: Archiving;
}

/** Objects of the cluster that tell of an archive. */
export interface ArchiveObjects {
  readonly cluster: Mapping | undefined;
  readonly objectStore: Mapping | undefined;
  /** Of all clusters of the namespace. */
  readonly backups: readonly Mapping[];
}

/** Seconds between a commit and its segment in the store, beyond `archive_timeout`. */
const UPLOAD_SECONDS = 30;

const time = z
  .string()
  .transform((text) => new Date(text))
  .refine((date) => !Number.isNaN(date.getTime()));
const backupObject = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({ cluster: z.object({ name: z.string() }), method: z.string().optional() }),
  status: z
    .object({
      phase: z.string().optional(),
      error: z.string().optional(),
      backupId: z.string().optional(),
      stoppedAt: time.optional().catch(undefined),
    })
    .default({}),
});
const objectStore = z.object({
  status: z
    .object({
      serverRecoveryWindow: z
        .record(z.string(), z.object({ firstRecoverabilityPoint: time.optional().catch(undefined) }))
        .default({}),
    })
    .default({ serverRecoveryWindow: {} }),
});
const conditions = z.object({
  status: z.object({
    conditions: z.array(
      z.object({
        type: z.string(),
        status: z.string(),
        message: z.string().optional(),
        lastTransitionTime: time.optional().catch(undefined),
      }),
    ),
  }),
});

/**
 * What of a generation can be restored, as far as the cluster tells.
 *
 * @param clusterName name of the generation's Cluster, and of its folder in the store
 * @param archiveTimeoutSeconds within which each commit reaches the store
 */
export function archiveOf(
  clusterName: string,
  objects: ArchiveObjects,
  archiveTimeoutSeconds: number,
  now: Date,
): Archive {
  const backups = objects.backups
    .flatMap((object) => backupOf(object, clusterName))
    .sort((one, other) => (other.endedAt?.getTime() ?? 0) - (one.endedAt?.getTime() ?? 0));
  const ends = backups.flatMap(({ state, endedAt }) =>
    state === "completed" && endedAt !== undefined ? [endedAt] : [],
  );
  const window = objectStore.safeParse(objects.objectStore).data?.status.serverRecoveryWindow[clusterName];
  const archiving = archivingOf(objects.cluster);
  const before = (date: Date) => new Date(date.getTime() - (archiveTimeoutSeconds + UPLOAD_SECONDS) * 1_000);
  const certain =
    archiving.state === "works"
      ? [before(now)]
      : archiving.state === "fails" && archiving.since !== undefined
        ? [before(archiving.since)]
        : [];
  return {
    clusterName,
    exists: objects.cluster !== undefined,
    backups,
    first: window?.firstRecoverabilityPoint ?? ends.at(-1),
    last: ends.length === 0 ? undefined : latest([...ends, ...certain]),
    archiving,
  };
}

function backupOf(object: Mapping, clusterName: string): BaseBackup[] {
  const { data } = backupObject.safeParse(object);
  if (data?.spec.cluster.name !== clusterName || data.spec.method !== "plugin") return [];
  const { phase, error, backupId, stoppedAt } = data.status;
  const state = phase === "completed" || phase === "failed" ? phase : "running";
  return [{ name: data.metadata.name, id: backupId, state, endedAt: stoppedAt, error }];
}

/** As condition `ContinuousArchiving` of a Cluster says it. */
export function archivingOf(cluster: Mapping | undefined): Archiving {
  const condition = conditions
    .safeParse(cluster)
    .data?.status.conditions.find(({ type }) => type === "ContinuousArchiving");
  if (condition === undefined) return { state: "unknown" };
  return condition.status === "True"
    ? { state: "works" }
    : {
        state: "fails",
        message: condition.message ?? "no reason is given",
        since: condition.lastTransitionTime,
      };
}

const latest = (dates: readonly Date[]): Date => new Date(Math.max(...dates.map((date) => date.getTime())));
