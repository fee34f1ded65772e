import * as pulumi from "@pulumi/pulumi";
import { STACK_LABEL } from "../manifests/labels";
import type { Settings } from "../../settings/settings";

/** What a cluster answers when it is asked for a namespace. */
export type NamespaceLookup =
  | { readonly found: "none" }
  | { readonly found: "namespace"; readonly labels: Readonly<Record<string, string>> }
  /** The cluster did not answer, or not to us. */
  | { readonly found: "unknown"; readonly reason: string };

/**
 * Why a namespace must not be created: an existing one would be taken over silently, and deleted with the
 * stack.
 */
export function ownershipProblem(
  settings: Pick<Settings, "namespaces" | "stack">,
  namespace: string,
  lookup: NamespaceLookup,
): string | undefined {
  if (lookup.found !== "namespace" || settings.namespaces.adopt.includes(namespace)) return undefined;
  const owner = lookup.labels[STACK_LABEL];
  if (owner === settings.stack) return undefined;
  return `the Kubernetes namespace "${namespace}" exists already and ${owner === undefined ? "is not of this program" : `belongs to stack "${owner}"`}; choose another name in temporal-stack:namespaces (or postgres.operator.namespace), or, if it may be taken over with everything in it, add it to namespaces.adopt`;
}

/**
 * Refuses to create a namespace that exists and is not this stack's. Runs only when one is to be created,
 * in previews too; a preview without the cluster says so and goes on.
 */
export function ownershipGuard(
  settings: Pick<Settings, "namespaces" | "stack">,
  namespace: string,
  look: (namespace: string) => Promise<NamespaceLookup>,
): pulumi.ResourceHookBinding {
  const hook = new pulumi.ResourceHook(
    `namespace-ownership-${namespace}`,
    async () => {
      const lookup = await look(namespace);
      const problem = ownershipProblem(settings, namespace, lookup);
      if (problem !== undefined) throw new Error(problem);
      if (lookup.found !== "unknown") return;
      const sentence = `cannot see whether the Kubernetes namespace "${namespace}" exists already: ${lookup.reason}`;
      if (!pulumi.runtime.isDryRun()) throw new Error(sentence);
      await pulumi.log.warn(`${sentence}; the update will look again`);
    },
    { onDryRun: true },
  );
  return { beforeCreate: [hook] };
}
