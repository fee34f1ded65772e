import { z } from "zod";
import { isMapping, type Mapping } from "./mapping";

/** JSON form of each schema that was asked for; making one takes longer than a whole check of settings. */
const jsonForms = new WeakMap<z.ZodType, unknown>();

function jsonForm(schema: z.ZodType): unknown {
  const known = jsonForms.get(schema) ?? z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  jsonForms.set(schema, known);
  return known;
}

/**
 * The keys that the schema knows at a place.
 * @param schema the whole schema
 * @param path place of a mapping in the settings; variants of a section are told apart by what is there
 * @param settings the settings as given
 */
export function knownKeys(schema: z.ZodType, path: readonly PropertyKey[], settings: unknown): string[] {
  let node = jsonForm(schema);
  let value = settings;
  for (const part of path) {
    node = child(variant(node, value), part);
    value = typeof value === "object" && value !== null ? Reflect.get(value, part) : undefined;
  }
  const properties = field(variant(node, value), "properties");
  return isMapping(properties) ? Object.keys(properties) : [];
}

function child(node: unknown, part: PropertyKey): unknown {
  if (typeof part === "number") return field(node, "items");
  const properties = field(node, "properties");
  const named = isMapping(properties) ? properties[String(part)] : undefined;
  return named ?? field(node, "additionalProperties");
}

function variant(node: unknown, value: unknown): unknown {
  const options = field(node, "oneOf") ?? field(node, "anyOf");
  if (!Array.isArray(options)) return node;
  const mode = isMapping(value) ? value["mode"] : undefined;
  return options.find((option) => field(child(option, "mode"), "const") === mode) ?? node;
}

function field(node: unknown, name: string): unknown {
  return isMapping(node) ? (node satisfies Mapping)[name] : undefined;
}

/** The known key that is at most two typing errors away, if any. */
export function closest(key: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(key.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.min(2, best.candidate.length - 1)
    ? best.candidate
    : undefined;
}

function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min((previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, replaced));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}
