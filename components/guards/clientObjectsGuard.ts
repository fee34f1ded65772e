import * as pulumi from "@pulumi/pulumi";
import { STACK_LABEL } from "../manifests/labels";
import { refuseUnseen } from "./refusal";

/** What a cluster answers when it is asked for an object in a namespace of somebody else. */
export type ClientObjectLookup =
  | { readonly found: "object"; readonly labels: Readonly<Record<string, string>> }
  | { readonly found: "none" | "no-namespace" }
  | { readonly found: "unknown"; readonly reason: string };

/** An object that a stack makes in a namespace of a client. */
export interface ClientObject {
  /** Key of the client below `temporal-stack:`. */
  readonly setting: string;
  /** Key of the client that names the object. */
  readonly key: "connection" | "payloadKeys";
  readonly kind: "ConfigMap" | "Secret";
  readonly name: string;
  readonly namespace: string;
}

/** Why an object must not be made; undefined if nothing speaks against it. */
export function clientObjectProblem(
  { setting, key, kind, name, namespace }: ClientObject,
  stack: string,
  lookup: ClientObjectLookup,
): string | undefined {
  if (lookup.found === "no-namespace") {
    return `temporal-stack:${setting}.namespace: there is no namespace "${namespace}" in the cluster; create it, as this program makes the stack's own only, or correct the name`;
  }
  // An update that failed may have made it.
  if (lookup.found !== "object" || lookup.labels[STACK_LABEL] === stack) return undefined;
  return `temporal-stack:${setting}.${key}: ${kind} "${name}" in namespace "${namespace}" is not of stack "${stack}" and would be overwritten; choose another name, or delete it`;
}

/**
 * Refuses to make an object in a namespace that is not there, or in the place of somebody else's, in previews too. A
 * cluster that cannot be asked is a warning in previews.
 * @param name unique name
 */
export function clientObjectsGuard(
  name: string,
  object: ClientObject,
  stack: string,
  look: () => Promise<ClientObjectLookup>,
): pulumi.ResourceHookBinding {
  const hook = new pulumi.ResourceHook(
    name,
    async () => {
      const lookup = await look();
      const problem = clientObjectProblem(object, stack, lookup);
      if (problem !== undefined) throw new Error(problem);
      if (lookup.found === "unknown") {
        await refuseUnseen(
          `cannot see whether ${object.kind} "${object.name}" exists in namespace "${object.namespace}": ${lookup.reason}`,
        );
      }
    },
    { onDryRun: true },
  );
  return { beforeCreate: [hook] };
}
