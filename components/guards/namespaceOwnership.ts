import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { RESERVED_LABEL, STACK_ID_LABEL, STACK_LABEL } from "../manifests/labels";
import type { Settings } from "../../settings/settings";
import type { Inputs } from "./refusal";
import { refuseUnseen } from "./refusal";

/** What a cluster answers when it is asked for a namespace. */
export type NamespaceLookup =
  | { readonly found: "none" }
  | { readonly found: "namespace"; readonly labels: Readonly<Record<string, string>> }
  /** The cluster did not answer, or not to us. */
  | { readonly found: "unknown"; readonly reason: string };

/**
 * Why a namespace must not be created: an existing one would be taken over silently, and deleted with the
 * stack. The name of a stack proves nothing, as every backend may have one of that name.
 * @param id of this stack; undefined in a preview before there is one
 */
export function ownershipProblem(
  settings: Pick<Settings, "namespaces" | "stack">,
  namespace: string,
  lookup: NamespaceLookup,
  id: string | undefined,
): string | undefined {
  if (lookup.found !== "namespace" || settings.namespaces.adopt.includes(namespace)) return undefined;
  const { [STACK_ID_LABEL]: ownerId, [STACK_LABEL]: owner, [RESERVED_LABEL]: reserved } = lookup.labels;
  if (ownerId === undefined ? reserved === settings.stack : ownerId === id) return undefined;
  return `the Kubernetes namespace "${namespace}" exists already and ${ownerOf(owner, settings.stack)}; choose another name in temporal-stack:namespaces (or postgres.operator.namespace), or, if it may be taken over with everything in it (also after the state of this stack was lost), add it to namespaces.adopt`;
}

function ownerOf(owner: string | undefined, stack: string): string {
  if (owner === undefined) return "is not of this program";
  return owner === stack
    ? `belongs to another stack of the name "${stack}", whose state is in another backend`
    : `belongs to stack "${owner}"`;
}

const namespaceInputs = z.object({
  metadata: z.object({ labels: z.object({ [STACK_ID_LABEL]: z.string() }) }),
});

/** The id of the stack in what a namespace is to be; undefined while it is not known. */
function idIn(inputs: Inputs | undefined): string | undefined {
  return namespaceInputs.safeParse(inputs).data?.metadata.labels[STACK_ID_LABEL];
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
    async ({ newInputs }) => {
      const lookup = await look(namespace);
      const problem = ownershipProblem(settings, namespace, lookup, idIn(newInputs));
      if (problem !== undefined) throw new Error(problem);
      if (lookup.found === "unknown") {
        await refuseUnseen(
          `cannot see whether the Kubernetes namespace "${namespace}" exists already: ${lookup.reason}`,
        );
      }
    },
    { onDryRun: true },
  );
  return { beforeCreate: [hook] };
}
