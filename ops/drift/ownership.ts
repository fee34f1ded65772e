import { z } from "zod";
import { RESERVED_LABEL } from "../../components/manifests/labels";
import { isMapping, type Mapping } from "../../settings/mapping";
import { itemName } from "./subset";

/** Keys and indices that lead to a field of an object. */
export type Pointer = readonly (string | number)[];

/** A field of a live object, with who has written it. */
export interface OwnedField {
  readonly manager: string;
  /** As {@link differences} names it. */
  readonly path: string;
  readonly pointer: Pointer;
  readonly value: unknown;
  /** Values that tell the items of lists apart that lead to it. */
  readonly keys: readonly { readonly pointer: Pointer; readonly value: unknown }[];
  /** Whether what was applied says something about it. */
  readonly applied: boolean;
}

const managedFields = z.object({
  metadata: z.object({
    managedFields: z
      .array(
        z.object({
          manager: z.string().default("unknown"),
          subresource: z.string().optional(),
          fieldsV1: z.record(z.string(), z.unknown()).optional(),
        }),
      )
      .default([]),
  }),
});

/**
 * Managers that keep objects in step with what was declared: Kubernetes' own programs, the operator of PostgreSQL
 * (`manager`), Helm, and Helm within Pulumi's provider.
 */
const CONTROLLERS = new Set([
  "cloud-controller-manager",
  "k0s",
  "k3s",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "helm",
  "Helm",
  "manager",
  "pulumi-kubernetes",
  "pulumi-resource-kubernetes",
]);

/** Tells managers that belong to a stack from others. */
export type IsKnown = (manager: string) => boolean;

/** @param others further managers that may write to objects of the stack */
export const knownManagers = (others: Iterable<string>): IsKnown => {
  const known = new Set([...CONTROLLERS, ...others]);
  return (manager) => known.has(manager);
};

/**
 * What nothing runs otherwise for: what kubectl notes down for itself, and the label with which an administrator
 * reserves a namespace by `npm run deployer`.
 */
const NOTES = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "kubectl.kubernetes.io/restartedAt",
  RESERVED_LABEL,
]);

/** Managers that have written something to an object, but for its status. */
export const managersOf = (found: Mapping): string[] => [
  ...new Set(entriesOf(found).map(({ manager }) => manager)),
];

/**
 * The fields of an object that somebody has written who does not belong to the stack, by `metadata.managedFields`:
 * those that what was applied does not know, and those that it knows otherwise or alike.
 *
 * @param applied what the stack has declared
 */
export function foreignFields(applied: Mapping, found: Mapping, isKnown: IsKnown): OwnedField[] {
  return entriesOf(found)
    .filter(({ manager }) => !isKnown(manager))
    .flatMap(({ manager, fieldsV1 = {} }) => {
      const walk = new Walk(manager);
      walk.fields(fieldsV1, { path: "", pointer: [], keys: [], want: applied, have: found });
      return walk.found;
    });
}

const entriesOf = (found: Mapping) =>
  (managedFields.safeParse(found).data?.metadata.managedFields ?? []).filter(
    ({ subresource }) => subresource !== "status",
  );

interface Place {
  readonly path: string;
  readonly pointer: Pointer;
  readonly keys: OwnedField["keys"];
  readonly want: unknown;
  readonly have: unknown;
}

/** Walks a set of fields along with the object that they are of. */
class Walk {
  readonly found: OwnedField[] = [];

  constructor(private readonly manager: string) {}

  fields(fields: Mapping, place: Place): void {
    for (const [key, below] of Object.entries(fields)) {
      const inner = step(key, place);
      if (inner?.have === undefined || inner.path === "status") continue;
      const within = isMapping(below) ? below : {};
      const isLeaf = Object.keys(within).every((name) => name === ".");
      // An item that somebody has added is one addition, whatever it holds.
      const isAddedItem = within["."] !== undefined && key.startsWith("k:") && inner.want === undefined;
      if (!isLeaf && !isAddedItem) this.fields(within, inner);
      else if (isAddedItem || !isEmptyMapping(inner.have)) this.add(inner);
    }
  }

  private add({ want, have, ...place }: Place): void {
    if (NOTES.has(String(place.pointer.at(-1)))) return;
    this.found.push({ manager: this.manager, ...place, value: have, applied: want !== undefined });
  }
}

/** A mapping that was made for what it holds counts by that. */
const isEmptyMapping = (value: unknown): boolean => isMapping(value) && Object.keys(value).length === 0;

/** One step of a path of `fieldsV1`: `f:name` of a mapping, `k:{…}` and `v:…` of a list. */
function step(key: string, { path, pointer, keys, want, have }: Place): Place | undefined {
  const [kind, rest] = [key.slice(0, 2), key.slice(2)];
  if (kind === "f:" && isMapping(have)) {
    const inner = path === "" ? rest : `${path}.${rest}`;
    return { path: inner, pointer: [...pointer, rest], keys, want: memberOf(want, rest), have: have[rest] };
  }
  if ((kind !== "k:" && kind !== "v:") || !Array.isArray(have)) return undefined;
  const keyed: unknown = JSON.parse(rest);
  const matches = matcher(keyed);
  const index = have.findIndex(matches);
  if (index < 0) return undefined;
  const item: unknown = have[index];
  const place = [...pointer, index];
  return {
    path: `${path}[${itemName(item)}]`,
    pointer: place,
    keys: [...keys, ...keysOf(keyed, place, item)],
    want: Array.isArray(want) ? want.find(matches) : undefined,
    have: item,
  };
}

/** What must be found at a place of a list for the item there to be the one that is meant. */
const keysOf = (key: unknown, pointer: Pointer, item: unknown): OwnedField["keys"] =>
  isMapping(key)
    ? Object.entries(key)
        .filter(([name]) => memberOf(item, name) !== undefined)
        .map(([name, value]) => ({ pointer: [...pointer, name], value }))
    : [{ pointer, value: key }];

const memberOf = (value: unknown, key: string): unknown => (isMapping(value) ? value[key] : undefined);

/** Keys of an item that have a default may be left away where it was declared. */
const DEFAULTS: Mapping = { protocol: "TCP" };

/** An item is known by its keys, or by what it is where it has none. */
const matcher = (key: unknown) => (item: unknown) =>
  isMapping(key)
    ? isMapping(item) &&
      Object.entries(key).every(([name, value]) => (item[name] ?? DEFAULTS[name]) === value)
    : item === key;
