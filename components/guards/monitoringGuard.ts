import * as pulumi from "@pulumi/pulumi";

/** What a cluster answers when it is asked for the resource types of an API group. */
export type ResourceTypesLookup =
  | { readonly found: "types"; readonly plurals: readonly string[] }
  /** It serves no such group, or not in this version. */
  | { readonly found: "none" }
  /** The cluster did not answer, or not to us. */
  | { readonly found: "unknown"; readonly reason: string };

/** Why the objects for Prometheus cannot be created; undefined if nothing is known to be wrong. */
export function monitoringProblem(
  group: string,
  needed: readonly string[],
  lookup: ResourceTypesLookup,
): string | undefined {
  if (lookup.found === "unknown") return undefined;
  const served = lookup.found === "types" ? lookup.plurals : [];
  const missing = needed.filter((plural) => !served.includes(plural));
  if (missing.length === 0) return undefined;
  return `temporal-stack:monitoring.mode: the cluster has no resource type ${missing.map((plural) => `${plural}.${group}`).join(", ")}; install the Prometheus operator, or set monitoring.mode to "none"`;
}

/**
 * Refuses to create objects for a Prometheus operator that is not there. Runs only when one is to be created, in
 * previews too; where the cluster cannot be asked, it says so and goes on, as nothing can be lost. The cluster is asked once.
 */
export function monitoringGuard(
  group: string,
  needed: readonly string[],
  look: () => Promise<ResourceTypesLookup>,
): pulumi.ResourceHookBinding {
  let asked: Promise<ResourceTypesLookup> | undefined;
  const hook = new pulumi.ResourceHook(
    "monitoring-resource-types",
    async () => {
      asked ??= look();
      const lookup = await asked;
      const problem = monitoringProblem(group, needed, lookup);
      if (problem !== undefined) throw new Error(problem);
      if (lookup.found !== "unknown") return;
      await pulumi.log.warn(`cannot see whether the cluster has the Prometheus operator: ${lookup.reason}`);
    },
    { onDryRun: true },
  );
  return { beforeCreate: [hook] };
}
