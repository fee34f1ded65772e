import { isMapping, type Mapping } from "../settings/mapping";

/** Stands for a value that nobody knows before the update. No rule is broken by it. */
export const UNKNOWN: unique symbol = Symbol("known after the update");

/** What is at a path: undefined if there is nothing, UNKNOWN if it or something above it is unknown. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found = value;
  for (const part of path) {
    if (found === UNKNOWN) return UNKNOWN;
    if (typeof found !== "object" || found === null) return undefined;
    found = Reflect.get(found, part);
  }
  return found ?? undefined;
}

/** The list at a path; empty if there is none. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** The mapping at a path; empty if there is none. */
export function mappingAt(value: unknown, ...path: readonly (string | number)[]): Mapping {
  const found = at(value, ...path);
  return isMapping(found) ? found : {};
}

/** The text at a path. */
export function textAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === "string" ? found : undefined;
}

/** The number at a path. */
export function numberAt(value: unknown, ...path: readonly (string | number)[]): number | undefined {
  const found = at(value, ...path);
  return typeof found === "number" ? found : undefined;
}

/** Whether there is something, known or not. */
export function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Whether a value is the expected one, or may turn out to be. */
export function maybe(value: unknown, expected: unknown): boolean {
  return value === UNKNOWN || value === expected;
}

/** Whether some of a list fulfils a condition, or may turn out to. */
export function someMay(list: unknown, holds: (item: unknown) => boolean): boolean {
  return list === UNKNOWN || (Array.isArray(list) && list.some((item) => item === UNKNOWN || holds(item)));
}

/** Whether a list or mapping has something in it, or may turn out to have. */
export function isFilled(value: unknown): boolean {
  if (value === UNKNOWN) return true;
  return Array.isArray(value) ? value.length > 0 : isMapping(value) && Object.keys(value).length > 0;
}

/**
 * A plain copy of what a policy pack is handed over: there, to read an unknown value is an error, which would
 * keep a rule from judging the rest.
 */
export function plainCopy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((_, index) => readOf(value, index));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.keys(value).map((key) => [key, readOf(value, key)]));
}

function readOf(holder: object, key: string | number): unknown {
  let found: unknown;
  try {
    found = Reflect.get(holder, key);
  } catch {
    return UNKNOWN;
  }
  return plainCopy(found);
}
