import { z } from "zod";
import { exportedStack } from "../../common/exportedStack";
import { isMapping, type Mapping } from "../../settings/mapping";
import type { DriftedResource } from "../report/plan";
import type { PropertyChange } from "../report/propertyChanges";
import { readFailure, type LiveObjects } from "./live";
import { foreignFields, type IsKnown, type OwnedField } from "./ownership";
import { differences, type ObjectManifest, textOf } from "./subset";

/** A Kubernetes object that the stack has declared. */
export interface StackObject {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly manifest: ObjectManifest;
}

/** What a stack's state says about the cluster. */
export interface StackObjects {
  readonly objects: readonly StackObject[];
  /** Field managers of the stack's resources. */
  readonly managers: readonly string[];
}

const fieldManager = z.string();
const manifestSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

/** Reads what a stack has declared in the cluster out of what `pulumi stack export` printed. */
export function stackObjects(exported: unknown): StackObjects {
  const resources = exportedStack(exported).resources.filter(
    ({ type, custom, external, delete: replaced }) =>
      custom && !external && !replaced && type.startsWith("kubernetes:") && !type.endsWith("Patch"),
  );
  return {
    objects: resources.flatMap(({ urn, type, inputs }) => {
      const { data: manifest } = manifestSchema.safeParse(inputs);
      return manifest === undefined
        ? []
        : [{ urn, type, name: urn.split("::").slice(3).join("::"), manifest }];
    }),
    managers: resources.flatMap(
      ({ outputs }) => fieldManager.safeParse(outputs?.["__fieldManager"]).data ?? [],
    ),
  };
}

/** What was found in place of an object. */
export interface Comparison {
  readonly changes: readonly PropertyChange[];
  /** Fields that others have added. */
  readonly additions: readonly OwnedField[];
  /** Who has written what differs: paths by field manager. */
  readonly writers: Readonly<Record<string, readonly string[]>>;
}

/**
 * Compares a live object with what was applied: what was applied must be there, and nobody who does not belong to the
 * stack may have written more.
 *
 * @param ignored fields that others own, such as the replicas of an autoscaler's target
 */
export function compare(
  applied: ObjectManifest,
  found: Mapping,
  isKnown: IsKnown,
  ignored: readonly string[] = [],
): Comparison {
  const changed = differences(applied, found, ignored);
  const foreign = foreignFields(applied, found, isKnown);
  const additions = foreign.filter((field) => !field.applied && !ignored.includes(field.path));
  const written = foreign.filter(
    ({ path }) =>
      additions.some((addition) => addition.path === path) ||
      changed.some((change) => touches(path, change.path)),
  );
  const writers: Record<string, string[]> = {};
  for (const { manager, path } of written) writers[manager] = [...(writers[manager] ?? []), path];
  return {
    changes: [
      ...changed.map(({ path, applied: old, found: next }) => ({ path, old, new: next, replaces: false })),
      ...additions.map(({ path, value }) => ({
        path,
        old: undefined,
        new: textOf(applied, path, value),
        replaces: false,
      })),
    ],
    additions,
    writers,
  };
}

const touches = (one: string, other: string): boolean => {
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  return long === short || (long.startsWith(short) && /^[.[]/.test(long.slice(short.length)));
};

/** A resource of the stack that is found otherwise, with who did it. */
export interface ComparedResource extends DriftedResource {
  readonly manifest: ObjectManifest;
  readonly additions: readonly OwnedField[];
  readonly writers: Comparison["writers"];
}

/** What came of comparing a stack's objects. */
export interface ResourceDrift {
  readonly compared: number;
  readonly drifted: readonly ComparedResource[];
  readonly unknowns: readonly string[];
}

/** Compares each object that the stack has declared with the live one; one that cannot be read stops no other. */
export async function resourcesDrift(
  live: LiveObjects,
  objects: readonly StackObject[],
  isKnown: IsKnown,
): Promise<ResourceDrift> {
  const result = { compared: 0, drifted: [] as ComparedResource[], unknowns: [] as string[] };
  for (const object of objects) {
    try {
      const drifted = await resourceDrift(live, object, isKnown);
      result.compared++;
      if (drifted !== undefined) result.drifted.push(drifted);
    } catch (error) {
      const { kind } = object.manifest;
      result.unknowns.push(`${kind} ${nameOf(object.manifest)}: ${readFailure(error)}`);
    }
  }
  return result;
}

async function resourceDrift(
  live: LiveObjects,
  { urn, type, name, manifest }: StackObject,
  isKnown: IsKnown,
): Promise<ComparedResource | undefined> {
  const found = await live.read(manifest);
  const drift = { urn, type, name, object: nameOf(manifest), manifest };
  if (found === undefined) return { ...drift, gone: true, changes: [], additions: [], writers: {} };
  const compared = compare(manifest, found, isKnown, await foreignPaths(live, manifest));
  return compared.changes.length === 0 ? undefined : { ...drift, gone: false, ...compared };
}

/** An autoscaler owns how many there are. */
async function foreignPaths(live: LiveObjects, manifest: ObjectManifest): Promise<readonly string[]> {
  const { name, namespace } = placeOf(manifest);
  const scales = isMapping(manifest["spec"]) && manifest["spec"]["replicas"] !== undefined;
  if (!scales || namespace === undefined) return [];
  return (await live.scaled(namespace)).has(`${manifest.kind}/${name}`) ? ["spec.replicas"] : [];
}

/** Name and namespace of an object. */
export function placeOf(manifest: ObjectManifest): { readonly name: string; readonly namespace?: string } {
  const metadata = isMapping(manifest["metadata"]) ? manifest["metadata"] : {};
  const { name, namespace } = metadata;
  return { name: String(name), ...(typeof namespace === "string" ? { namespace } : {}) };
}

const nameOf = (manifest: ObjectManifest): string => {
  const { name, namespace } = placeOf(manifest);
  return namespace === undefined ? name : `${namespace}/${name}`;
};
