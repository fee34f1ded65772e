import { CustomObjectsApi, type KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { exportedStack, namespacesAmong, type StateResource } from "../common/exportedStack";
import { Failure } from "../common/failure";
import { helmReleases } from "../common/stuckReleases";
import { unlessMissing } from "../common/unlessMissing";
import { CERT_MANAGER_RELEASE } from "../components/manifests/certManagerManifests";
import { OPERATOR_GROUP } from "../components/manifests/operatorPermissions";
import { OPERATOR_RELEASE } from "../components/manifests/postgresOperatorManifests";

/** What an operator looks after, by the name of its Helm release. */
const servedBy: Readonly<Record<string, Parameters<CustomObjectsApi["listClusterCustomObject"]>[0]>> = {
  [OPERATOR_RELEASE]: { group: OPERATOR_GROUP, version: "v1", plural: "clusters" },
  [CERT_MANAGER_RELEASE]: { group: "cert-manager.io", version: "v1", plural: "certificates" },
};

const listSchema = z.object({
  items: z.array(z.object({ metadata: z.object({ name: z.string(), namespace: z.string() }) })),
});
const placeSchema = z.object({ metadata: z.object({ namespace: z.string() }) });

/** The namespace in which a resource of the stack is something that an operator serves. */
function servedIn({ type, inputs }: StateResource): string[] {
  const isServed = Object.values(servedBy).some(({ group }) => type.startsWith(`kubernetes:${group}/`));
  const { metadata } = placeSchema.safeParse(inputs).data ?? {};
  return isServed && metadata !== undefined ? [metadata.namespace] : [];
}

/**
 * Refuses to destroy a stack whose operators serve objects that are not the stack's: they would go on without failover,
 * backups and renewal.
 *
 * @param exported what `pulumi stack export` printed
 * @throws Failure that names what would be left alone
 */
export async function refuseSharedOperators(config: KubeConfig, exported: unknown): Promise<void> {
  const { resources } = exportedStack(exported);
  const own = new Set([...namespacesAmong(resources), ...resources.flatMap(servedIn)]);
  const installed = helmReleases(exported, []).flatMap(({ name, namespace }) => {
    const served = servedBy[name];
    return served === undefined ? [] : [{ name, namespace, served }];
  });
  const api = config.makeApiClient(CustomObjectsApi);
  const problems: string[] = [];
  for (const { name, namespace, served } of installed) {
    const { items } = listSchema.parse(
      (await unlessMissing(api.listClusterCustomObject(served))) ?? { items: [] },
    );
    const others = items.filter(({ metadata }) => !own.has(metadata.namespace));
    if (others.length === 0) continue;
    const list = others.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(", ");
    problems.push(`release ${name} in namespace ${namespace} serves ${served.plural} of others: ${list}`);
  }
  if (problems.length === 0) return;
  throw new Failure(
    "the stack has an operator that others in its cluster need: nothing was destroyed",
    "give them an operator of their own or delete them first; to hand this one over, take its release, what belongs to that and its namespace out of the state with pulumi state delete",
    problems,
  );
}
