/** Prefix of this project's keys in a stack file. */
export const PROJECT = "temporal-stack";

/** A mapping whose values are not known yet. */
export type Mapping = Readonly<Record<string, unknown>>;

/** Whether a value is a mapping, not a list or a scalar. */
export function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Lays one mapping over another: mappings in them are merged, lists and scalars replaced.
 * @param joins keys whose lists are joined instead; none by default
 */
export function merge(base: Mapping, over: Mapping, joins?: RegExp): Mapping {
  const result = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    const below = result.get(key);
    if (joins?.test(key) === true && Array.isArray(below) && Array.isArray(value)) {
      const [first, second]: [unknown[], unknown[]] = [below, value];
      result.set(key, [...first, ...second]);
    } else result.set(key, isMapping(below) && isMapping(value) ? merge(below, value, joins) : value);
  }
  // Defines keys, whatever their name: an assignment to `__proto__` would hide them.
  return Object.fromEntries(result);
}

/** Whether a mapping has a value at a place. */
export function isSet(root: unknown, path: readonly PropertyKey[]): boolean {
  return valueAt(root, path) !== undefined;
}

/** What is at a place; undefined if nothing is. */
export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}
