import { z } from "zod";
import { ENCRYPTED, Sensitive } from "./sensitive";

/** Place of a setting; `*` in the place of a key or an index stands for any. */
export type SettingPath = readonly PropertyKey[];

/** Schemas of the settings that must be encrypted and that stay secret wherever they go. */
const secretSettings = z.registry<{ readonly secret: true }>();

/**
 * A secret setting. It is refused in plain text, and every other setting is refused when it is encrypted.
 * @param form what its text must be; an encrypted text that nobody here can open is taken as it is
 */
export function secretSetting(form: z.ZodString) {
  return z
    .string({ error: (issue) => form.safeParse(issue.input).error?.issues[0]?.message })
    .check(({ value, issues }) => {
      if (value === ENCRYPTED) return;
      // Without the input: no message may come near it.
      for (const { message } of form.safeParse(value).error?.issues.slice(0, 1) ?? []) {
        issues.push({ code: "custom", message, input: undefined });
      }
    })
    .register(secretSettings, { secret: true })
    .transform((value) => new Sensitive(value));
}

const isSecret = (schema: z.core.$ZodType): boolean => secretSettings.has(schema);

/** Paths of the secret settings in a schema. */
export const secretPathsOf = (schema: z.core.$ZodType): readonly SettingPath[] => search(schema, isSecret);

/**
 * Paths of mappings from names of the user's to texts: nobody knows what they keep there, so no message shows it. What
 * is in a mapping of described objects is described.
 */
export const freePathsOf = (schema: z.core.$ZodType): readonly SettingPath[] => search(schema, isFree);

const isFree = (schema: z.core.$ZodType): boolean =>
  schema instanceof z.ZodRecord && !(schema.valueType instanceof z.ZodObject);

const memory = new WeakMap<z.core.$ZodType, Map<unknown, readonly SettingPath[]>>();

/** Paths of the schemas that are wanted, each once. */
function search(
  schema: z.core.$ZodType,
  wanted: (schema: z.core.$ZodType) => boolean,
): readonly SettingPath[] {
  const known = memory.get(schema) ?? new Map<unknown, readonly SettingPath[]>();
  memory.set(schema, known);
  const paths = known.get(wanted) ?? [
    ...new Map(walk(schema, wanted).map((path) => [path.join("."), path])).values(),
  ];
  known.set(wanted, paths);
  return paths;
}

function walk(schema: z.core.$ZodType, wanted: (schema: z.core.$ZodType) => boolean): SettingPath[] {
  if (wanted(schema)) return [[]];
  const inside = (inner: z.core.$ZodType): SettingPath[] => walk(inner, wanted);
  const below = (part: PropertyKey, inner: z.core.$ZodType): SettingPath[] =>
    inside(inner).map((path) => [part, ...path]);
  if (schema instanceof z.ZodObject) {
    const shape: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
    return Object.entries(shape).flatMap(([key, inner]) => below(key, inner));
  }
  if (schema instanceof z.ZodRecord) return below("*", schema.valueType);
  if (schema instanceof z.ZodArray) return below("*", schema.element);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(inside);
  if (schema instanceof z.ZodPipe) return [...inside(schema.in), ...inside(schema.out)];
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return inside(schema.unwrap());
  }
  return [];
}

/** Whether a place is one of the paths, or lies inside one. */
export function isWithin(place: SettingPath, paths: readonly SettingPath[]): boolean {
  return paths.some((path) =>
    path.every((part, index) => index in place && (part === "*" || part === place[index])),
  );
}

/** Whether a place is one of the paths. */
export function isAmong(place: SettingPath, paths: readonly SettingPath[]): boolean {
  return isWithin(
    place,
    paths.filter(({ length }) => length === place.length),
  );
}

/** The places that a path with wildcards has in the settings. */
export function placesOf(path: SettingPath, value: unknown, place: SettingPath = []): SettingPath[] {
  const [part, ...rest] = path;
  if (part === undefined) return value === undefined ? [] : [place];
  if (typeof value !== "object" || value === null) return [];
  const parts =
    part !== "*" ? [part] : Array.isArray(value) ? value.map((_, index) => index) : Object.keys(value);
  return parts
    .filter((key) => Object.hasOwn(value, key))
    .flatMap((key) => placesOf(rest, Reflect.get(value, key), [...place, key]));
}

/** A place as the CLI's option `--path` takes it, and as messages name it. */
export const keyOf = (path: SettingPath): string =>
  path.reduce<string>((text, part) => text + segment(part, text === ""), "");

function segment(part: PropertyKey, first: boolean): string {
  if (part === "*") return "[]";
  if (typeof part === "number") return `[${String(part)}]`;
  const name = String(part);
  if (!/^[\w-]+$/.test(name)) return `["${name}"]`;
  return first ? name : `.${name}`;
}
