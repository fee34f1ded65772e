import { Struct, type Value } from "google-protobuf/google/protobuf/struct_pb";

/** A property value as the engine sends it to a provider that declares no support for secrets or outputs. */
export type PropertyValue = null | boolean | number | string | PropertyValue[] | PropertyMap;

/** Inputs or state of a resource. */
export interface PropertyMap {
  [key: string]: PropertyValue;
}

/** Stands for a value that is not known before the update; part of the engine's wire format. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";

/** The text if there is one: neither absent nor empty. */
export function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

/** Marks a value so that the engine encrypts it in state and masks it on screen. */
export function secret(value: PropertyValue): PropertyMap {
  return { [SIGNATURE_KEY]: SECRET_SIGNATURE, value };
}

export function isMap(value: PropertyValue | undefined): value is PropertyMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Removes the secret mark, if there is one. */
export function withoutSecret(value: PropertyValue | undefined): PropertyValue | undefined {
  return isMap(value) && value[SIGNATURE_KEY] === SECRET_SIGNATURE ? value["value"] : value;
}

/** Tells whether the value, or anything inside it, is not known yet. */
export function containsUnknown(value: PropertyValue | undefined): boolean {
  if (Array.isArray(value)) return value.some(containsUnknown);
  if (isMap(value)) return Object.values(value).some(containsUnknown);
  return value === UNKNOWN;
}

function fromValue(value: Value): PropertyValue {
  if (value.hasStringValue()) return value.getStringValue();
  if (value.hasNumberValue()) return value.getNumberValue();
  if (value.hasBoolValue()) return value.getBoolValue();
  const list = value.getListValue();
  if (list) return list.getValuesList().map(fromValue);
  const struct = value.getStructValue();
  return struct ? fromStruct(struct) : null;
}

/** Converts from the wire format. Nulls are left out, as the official providers do. */
export function fromStruct(struct: Struct | undefined): PropertyMap {
  const map: PropertyMap = {};
  struct?.getFieldsMap().forEach((value, key) => {
    const converted = fromValue(value);
    if (converted !== null) map[key] = converted;
  });
  return map;
}

/** Converts to the wire format. */
export function toStruct(map: PropertyMap): Struct {
  return Struct.fromJavaScript(map);
}

/** Compares two values; an absent value, null and an empty map are the same. */
export function sameValue(left: PropertyValue | undefined, right: PropertyValue | undefined): boolean {
  return canonical(left) === canonical(right);
}

function canonical(value: PropertyValue | undefined): string {
  if (value === undefined || value === null) return "null";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isMap(value)) return JSON.stringify(value);
  const keys = Object.keys(value).filter((key) => canonical(value[key]) !== "null");
  if (keys.length === 0) return "null";
  return `{${keys
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
    .join(",")}}`;
}
