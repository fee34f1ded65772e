import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { Failure } from "../../common/failure";
import type { HelmRelease } from "../report/plan";
import type { ObjectManifest } from "./subset";

/** What Helm rendered and applied, with the release that it belongs to. */
export interface DeployedRelease {
  readonly release: HelmRelease;
  readonly revision: number;
  readonly objects: readonly ObjectManifest[];
}

const record = z.object({
  name: z.string(),
  version: z.number(),
  manifest: z.string(),
});
const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

/**
 * Reads the revision of a release that is deployed out of Helm's own Secret.
 *
 * @throws Failure when there is none; ApiException when the Secret may not be read
 */
export async function deployedRelease(config: KubeConfig, release: HelmRelease): Promise<DeployedRelease> {
  const { name, namespace } = release;
  const labelSelector = `owner=helm,name=${name},status=deployed`;
  const { items } = await config.makeApiClient(CoreV1Api).listNamespacedSecret({ namespace, labelSelector });
  const records = await Promise.all(items.flatMap(({ data }) => data?.["release"] ?? []).map(decodeRelease));
  const newest = records.sort((one, other) => other.version - one.version)[0];
  if (newest === undefined) {
    throw new Failure(
      `no revision of release ${namespace}/${name} is deployed`,
      "see helm history, and pulumi up once nothing works on the release any more",
    );
  }
  return { release, revision: newest.version, objects: manifestObjects(newest.manifest, namespace) };
}

/** Content of a Secret `sh.helm.release.v1.*`: base64 by the API, base64 and gzip by Helm. */
export async function decodeRelease(data: string): Promise<z.output<typeof record>> {
  const compressed = Buffer.from(Buffer.from(data, "base64").toString("utf8"), "base64");
  return record.parse(JSON.parse((await promisify(gunzip)(compressed)).toString("utf8")));
}

/**
 * The objects of a manifest. Hooks are no part of it: Helm runs them and forgets them.
 * @param namespace of the release, where objects are that name none
 */
export function manifestObjects(manifest: string, namespace: string): ObjectManifest[] {
  return parseAllDocuments(manifest).flatMap((document) => {
    const content: unknown = document.toJS();
    if (content === null || content === undefined) return [];
    const object = objectSchema.parse(content);
    return [{ ...object, metadata: { namespace, ...object.metadata } }];
  });
}
