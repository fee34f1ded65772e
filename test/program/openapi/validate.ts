import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isValues, type Values } from "../../harness";

/** What the API server of the pinned Kubernetes version says about the kinds that are deployed. */
const document: unknown = JSON.parse(readFileSync(join(__dirname, "kubernetes.json"), "utf8"));
const schemas: Values = isValues(document) && isValues(document["schemas"]) ? document["schemas"] : {};

/** Kubernetes version of the schemas. */
export const schemaVersion = isValues(document) ? document["kubernetes"] : undefined;

/**
 * Checks an object as strictly as the API server does with `fieldValidation=Strict`: types, required
 * fields, unknown fields.
 * @returns one sentence for each problem
 */
export function openApiProblems(object: Values): string[] {
  const kind = Object.values(schemas).find((schema) => isOfKind(schema, object));
  return kind === undefined
    ? [`no schema of ${String(object["apiVersion"])} ${String(object["kind"])}: add it to extract.ts`]
    : check(kind, object, String(object["kind"]));
}

function isOfKind(schema: unknown, { apiVersion, kind }: Values): boolean {
  const kinds = isValues(schema) ? schema["x-kubernetes-group-version-kind"] : undefined;
  return (
    Array.isArray(kinds) &&
    kinds.some(
      (known: unknown) =>
        isValues(known) &&
        known["kind"] === kind &&
        [known["group"], known["version"]].filter((part) => part !== "").join("/") === apiVersion,
    )
  );
}

function check(schema: unknown, value: unknown, path: string): string[] {
  if (!isValues(schema)) return [`${path}: unknown schema`];
  const reference = schema["$ref"];
  if (typeof reference === "string") return check(schemas[reference.split("/").at(-1) ?? ""], value, path);
  if (Array.isArray(schema["allOf"])) return schema["allOf"].flatMap((part) => check(part, value, path));
  if (Array.isArray(schema["oneOf"])) {
    const fits = schema["oneOf"].some((option) => check(option, value, path).length === 0);
    return fits ? [] : [`${path}: ${JSON.stringify(value)} has none of the allowed types`];
  }
  if (schema["x-kubernetes-int-or-string"] === true) {
    const fits = typeof value === "string" || Number.isInteger(value);
    return fits ? [] : [`${path}: ${JSON.stringify(value)} is neither a string nor an integer`];
  }
  if (schema["type"] === "object") return checkObject(schema, value, path);
  if (schema["type"] === "array") {
    return Array.isArray(value)
      ? value.flatMap((item, index) => check(schema["items"], item, `${path}[${String(index)}]`))
      : [`${path}: not a list`];
  }
  return checkScalar(schema, value, path);
}

function checkObject(schema: Values, value: unknown, path: string): string[] {
  if (!isValues(value)) return [`${path}: not an object`];
  const properties = isValues(schema["properties"]) ? schema["properties"] : {};
  const others = schema["additionalProperties"];
  const required = Array.isArray(schema["required"]) ? schema["required"].map(String) : [];
  return [
    ...required.filter((key) => !(key in value)).map((key) => `${path}.${key}: missing`),
    ...Object.entries(value).flatMap(([key, item]) => {
      const property = properties[key] ?? others;
      return property === undefined
        ? [`${path}.${key}: unknown field`]
        : check(property, item, `${path}.${key}`);
    }),
  ];
}

function checkScalar(schema: Values, value: unknown, path: string): string[] {
  const type = String(schema["type"]);
  const words = schema["enum"];
  if (Array.isArray(words) && !words.includes(value)) {
    return [`${path}: ${JSON.stringify(value)} is none of ${words.join(", ")}`];
  }
  const fits = type === "integer" ? Number.isInteger(value) : typeof value === type;
  return fits ? [] : [`${path}: ${JSON.stringify(value)} is not of type ${type}`];
}
