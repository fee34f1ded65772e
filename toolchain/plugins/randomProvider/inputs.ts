import {
  containsUnknown,
  isMap,
  type PropertyMap,
  type PropertyValue,
  sameValue,
} from "../runtime/properties";
import type { CheckFailure, Difference, PropertySchema, ResourceSchema } from "../runtime/resource";

const EXPECTED: Readonly<Record<PropertySchema["type"], string>> = {
  boolean: "true or false",
  integer: "an integer",
  string: "a string",
  map: "a map of strings",
  object: "a map",
  array: "a list",
};

function hasType(value: PropertyValue, type: PropertySchema["type"]): boolean {
  switch (type) {
    case "boolean":
      return typeof value === "boolean";
    case "integer":
      return Number.isInteger(value);
    case "string":
      return typeof value === "string";
    case "map":
      return isMap(value) && Object.values(value).every((entry) => typeof entry === "string");
    case "object":
      return isMap(value);
    case "array":
      return Array.isArray(value);
  }
}

/** Checks presence, names and types of inputs against the schema; values not known yet are let through. */
export function checkShape(schema: ResourceSchema, inputs: PropertyMap): CheckFailure[] {
  const failures: CheckFailure[] = [];
  for (const [property, { type, required }] of Object.entries(schema.inputs)) {
    const value = inputs[property];
    if (value === undefined) {
      if (required) failures.push({ property, reason: `required: expected ${EXPECTED[type]}` });
    } else if (!containsUnknown(value) && !hasType(value, type)) {
      failures.push({ property, reason: `expected ${EXPECTED[type]}, got ${JSON.stringify(value)}` });
    }
  }
  for (const property of Object.keys(inputs)) {
    if (!(property in schema.inputs)) {
      failures.push({
        property,
        reason: `unknown property; expected one of ${Object.keys(schema.inputs).join(", ")}`,
      });
    }
  }
  return failures;
}

/** Checks that an integer input is at least `minimum`. */
export function checkAtLeast(inputs: PropertyMap, property: string, minimum: number): CheckFailure[] {
  const value = inputs[property];
  return typeof value === "number" && value < minimum
    ? [{ property, reason: `expected at least ${String(minimum)}, got ${String(value)}` }]
    : [];
}

/** Every input of these resources replaces the resource when it changes. */
export function replacements(schema: ResourceSchema, state: PropertyMap, inputs: PropertyMap): Difference[] {
  return Object.keys(schema.inputs)
    .filter((property) => !sameValue(state[property], inputs[property]))
    .map((property) => ({
      property,
      kind: state[property] === undefined ? "add" : inputs[property] === undefined ? "delete" : "update",
      replace: true,
    }));
}

/** Reads an integer that the check has accepted. */
export function integer(inputs: PropertyMap, property: string): number {
  const value = inputs[property];
  if (typeof value !== "number") throw new Error(`${property}: expected ${EXPECTED.integer}`);
  return value;
}
