import * as pulumi from "@pulumi/pulumi";
import type { ExistingObject } from "../manifests/existingObjects";

/** What a cluster answers when it is asked for such an object. */
export type ObjectLookup =
  /** Its keys; nobody looks at what is in them. */
  | {
      readonly found: "object";
      readonly keys: readonly string[];
      /** The stack of this program that made it, if one did. */
      readonly stack?: string | undefined;
    }
  | { readonly found: "none" }
  /** The namespace is not there either: the first update makes it. */
  | { readonly found: "no-namespace" }
  /** The cluster did not answer, or not to us. */
  | { readonly found: "unknown"; readonly reason: string };

/** Why pods would wait for an object until a timeout; undefined if they would not. */
export function existingObjectProblem(
  { setting, kind, name, key }: ExistingObject,
  namespace: string,
  lookup: ObjectLookup,
): string | undefined {
  const place = `temporal-stack:${setting}: ${kind} "${name}"`;
  if (lookup.found === "none" || lookup.found === "no-namespace") {
    return `${place} does not exist in namespace "${namespace}"; create it there, or correct the name`;
  }
  if (lookup.found === "object" && kind === "ServiceAccount" && lookup.stack !== undefined) {
    return `${place} in namespace "${namespace}" is one that stack "${lookup.stack}" makes, and goes when that stack no longer names it; name one that somebody else keeps`;
  }
  if (lookup.found === "unknown" || key === undefined || lookup.keys.includes(key)) return undefined;
  const keys = lookup.keys.length === 0 ? "no keys" : `the keys ${lookup.keys.join(", ")}`;
  return `${place} in namespace "${namespace}" has no key "${key}": it has ${keys}; add the key, or correct the setting`;
}

type Look = (object: ExistingObject) => Promise<ObjectLookup>;

/** What is wrong with the objects that some pods need, and what nobody can tell; each object is asked for once. */
export async function judgeExistingObjects(
  objects: readonly ExistingObject[],
  namespace: string,
  preview: boolean,
  look: Look,
): Promise<{ readonly problems: readonly string[]; readonly warnings: readonly string[] }> {
  const asked = new Map<string, Promise<ObjectLookup>>();
  const problems: string[] = [];
  const warnings = new Set<string>();
  for (const object of objects) {
    const { setting, kind, name } = object;
    const answer = asked.get(`${kind}/${name}`) ?? look(object);
    asked.set(`${kind}/${name}`, answer);
    const lookup = await answer;
    const problem = existingObjectProblem(object, namespace, lookup);
    if (lookup.found === "unknown") {
      warnings.add(`cannot see whether ${kind} "${name}" exists: ${lookup.reason}`);
    } else if (lookup.found === "no-namespace" && preview) {
      warnings.add(
        `temporal-stack:${setting}: ${kind} "${name}" must be in namespace "${namespace}" before its pods start; the update makes the namespace, so that it may stop there: create the ${kind} and run it again`,
      );
    } else if (problem !== undefined) problems.push(problem);
  }
  return { problems, warnings: [...warnings] };
}

/**
 * Refuses to create or change pods that would wait for an object that is not there, in previews too. Where
 * the cluster cannot be asked, or where the namespace is still to be made, it says so and goes on.
 * @param name unique name
 */
export function existingObjectsGuard(
  name: string,
  objects: readonly ExistingObject[],
  namespace: string,
  look: Look,
): pulumi.ResourceHookBinding {
  if (objects.length === 0) return {};
  const hook = new pulumi.ResourceHook(
    name,
    async () => {
      const preview = pulumi.runtime.isDryRun();
      const { problems, warnings } = await judgeExistingObjects(objects, namespace, preview, look);
      if (problems.length > 0) throw new Error(problems.join("\n"));
      for (const warning of warnings) await pulumi.log.warn(warning);
    },
    { onDryRun: true },
  );
  return { beforeCreate: [hook], beforeUpdate: [hook] };
}
