import { z } from "zod";
import { unlessMissing } from "../../common/unlessMissing";
import { OPERATOR_GROUP } from "../../components/manifests/operatorPermissions";
import { objectStoreName, PLUGIN_GROUP } from "../../components/manifests/postgresBackupsManifests";
import { clusterNameOf } from "../../components/manifests/postgresGenerations";
import type { Mapping } from "../../settings/mapping";
import { LiveObjects } from "../drift/live";
import { type Archive, archiveOf } from "./archive";
import type { FileGenerations, RestoreFacts } from "./plan";

const OPERATOR_VERSION = `${OPERATOR_GROUP}/v1`;

const cluster = z.object({
  status: z
    .object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) })
    .default({ conditions: [] }),
});
const job = z.object({
  status: z.object({ failed: z.number().optional(), succeeded: z.number().optional() }).default({}),
});

/**
 * What there is of a generation in the cluster.
 * @throws ApiException when the API server does not answer it
 */
export async function readArchive(
  objects: LiveObjects,
  namespace: string,
  file: Pick<FileGenerations, "name" | "backup">,
  generation: number,
  now: Date,
): Promise<Archive> {
  const clusterName = clusterNameOf(file, generation);
  const read = (apiVersion: string, kind: string, name: string) =>
    objects.read({ apiVersion, kind, metadata: { name, namespace } });
  // A new Kubernetes cluster has none of the operator's types yet.
  const listed = (await unlessMissing(objects.list(OPERATOR_VERSION, "Backup", namespace))) ?? [];
  const backups: readonly Mapping[] = listed.map((object) => ({ ...object }));
  return archiveOf(
    clusterName,
    {
      cluster: await read(OPERATOR_VERSION, "Cluster", clusterName),
      objectStore: await read(`${PLUGIN_GROUP}/v1`, "ObjectStore", objectStoreName(file)),
      backups,
    },
    file.backup?.archiveTimeoutSeconds ?? 0,
    now,
  );
}

/**
 * How far the Cluster of a generation is.
 * @throws ApiException when the API server does not answer it
 */
export async function readNewest(
  objects: LiveObjects,
  namespace: string,
  { name, generation }: Pick<FileGenerations, "name" | "generation">,
): Promise<RestoreFacts["newest"]> {
  const clusterName = clusterNameOf({ name }, generation);
  const metadata = { name: clusterName, namespace };
  const found = await objects.read({ apiVersion: OPERATOR_VERSION, kind: "Cluster", metadata });
  if (found === undefined) return "absent";
  const isReady = cluster
    .parse(found)
    .status.conditions.some(({ type, status }) => type === "Ready" && status === "True");
  if (isReady) return "ready";
  // No condition tells of a recovery that failed, and the operator tries it again.
  const recovery = await objects.read({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: `${clusterName}-1-full-recovery`, namespace },
  });
  const { failed = 0, succeeded = 0 } = recovery === undefined ? {} : job.parse(recovery).status;
  return failed > 0 && succeeded === 0 ? "failed" : "filling";
}
