/** Prefix of this project's keys in a stack file. */
export const PROJECT = "temporal-stack";

/** A mapping whose values are not known yet. */
export type Mapping = Readonly<Record<string, unknown>>;

/** Whether a value is a mapping, not a list or a scalar. */
export function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Lays one mapping over another: mappings in them are merged, lists and scalars replaced. */
export function merge(base: Mapping, over: Mapping): Mapping {
  const result = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    const below = result.get(key);
    result.set(key, isMapping(below) && isMapping(value) ? merge(below, value) : value);
  }
  // Defines keys, whatever their name: an assignment to `__proto__` would hide them.
  return Object.fromEntries(result);
}
