import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isMapping, type Mapping } from "../mapping";

interface Document {
  readonly kubernetes: unknown;
  readonly schemas: Mapping;
}

let loaded: Document | undefined;

/** What the API server of the pinned Kubernetes version says about the kinds that are deployed; extract.ts writes it. */
function document(): Document {
  if (loaded === undefined) {
    const content: unknown = JSON.parse(readFileSync(join(__dirname, "kubernetes.json"), "utf8"));
    const { kubernetes, schemas } = isMapping(content) ? content : {};
    loaded = { kubernetes, schemas: isMapping(schemas) ? schemas : {} };
  }
  return loaded;
}

/** Kubernetes version of the schemas. */
export const schemaVersion = (): unknown => document().kubernetes;

/** What is wrong at a place in an object; no value is repeated, as it may be a secret. */
export interface OpenApiProblem {
  readonly path: (string | number)[];
  readonly text: string;
}

/**
 * Checks an object as strictly as the API server does with `fieldValidation=Strict`: types, required
 * fields, unknown fields.
 * @returns one sentence for each problem
 */
export function openApiProblems(object: Mapping): string[] {
  const kind = String(object["kind"]);
  const schema = Object.values(document().schemas).find((candidate) => isOfKind(candidate, object));
  return schema === undefined
    ? [`no schema of ${String(object["apiVersion"])} ${kind}: add it to extract.ts`]
    : check(schema, object, []).map(({ path, text }) => `${[kind, ...path].join(".")}: ${text}`);
}

/**
 * Checks a part of an object likewise.
 * @param name of the schema, such as `io.k8s.api.core.v1.Toleration`
 */
export function partProblems(name: string, value: unknown): OpenApiProblem[] {
  const schema = document().schemas[name];
  if (schema === undefined) throw new Error(`no schema of ${name}: add it to extract.ts`);
  return check(schema, value, []);
}

function isOfKind(schema: unknown, { apiVersion, kind }: Mapping): boolean {
  const kinds = isMapping(schema) ? schema["x-kubernetes-group-version-kind"] : undefined;
  return (
    Array.isArray(kinds) &&
    kinds.some(
      (known: unknown) =>
        isMapping(known) &&
        known["kind"] === kind &&
        [known["group"], known["version"]].filter((part) => part !== "").join("/") === apiVersion,
    )
  );
}

type Path = OpenApiProblem["path"];

function check(schema: unknown, value: unknown, path: Path): OpenApiProblem[] {
  const problem = (text: string): OpenApiProblem[] => [{ path, text }];
  if (!isMapping(schema)) return problem("has an unknown schema");
  const reference = schema["$ref"];
  if (typeof reference === "string") {
    return check(document().schemas[reference.split("/").at(-1) ?? ""], value, path);
  }
  if (Array.isArray(schema["allOf"])) return schema["allOf"].flatMap((part) => check(part, value, path));
  if (Array.isArray(schema["oneOf"])) {
    const fits = schema["oneOf"].some((option) => check(option, value, path).length === 0);
    return fits ? [] : problem(`must be ${schema["oneOf"].map(typeOf).join(" or ")}, got ${kindOf(value)}`);
  }
  if (schema["x-kubernetes-int-or-string"] === true) {
    const fits = typeof value === "string" || Number.isInteger(value);
    return fits ? [] : problem(`must be a string or an integer, got ${kindOf(value)}`);
  }
  if (schema["type"] === "object") return checkObject(schema, value, path);
  if (schema["type"] === "array") {
    return Array.isArray(value)
      ? value.flatMap((item, index) => check(schema["items"], item, [...path, index]))
      : problem(`must be a list, got ${kindOf(value)}`);
  }
  const words = schema["enum"];
  if (Array.isArray(words) && !words.includes(value)) return problem(`must be one of ${words.join(", ")}`);
  const fits = schema["type"] === "integer" ? Number.isInteger(value) : typeof value === schema["type"];
  return fits ? [] : problem(`must be ${typeOf(schema)}, got ${kindOf(value)}`);
}

function checkObject(schema: Mapping, value: unknown, path: Path): OpenApiProblem[] {
  if (!isMapping(value)) return [{ path, text: `must be a mapping, got ${kindOf(value)}` }];
  const properties = isMapping(schema["properties"]) ? schema["properties"] : {};
  const others = schema["additionalProperties"];
  const required = Array.isArray(schema["required"]) ? schema["required"].map(String) : [];
  return [
    ...required
      .filter((key) => !(key in value))
      .map((key) => ({ path: [...path, key], text: "is missing; Kubernetes requires it" })),
    ...Object.entries(value).flatMap(([key, item]) => {
      const property = Object.hasOwn(properties, key) ? properties[key] : others;
      if (property === undefined) {
        const known = Object.keys(properties).join(", ");
        return [{ path: [...path, key], text: `is no field of Kubernetes here; known: ${known}` }];
      }
      return check(property, item, [...path, key]);
    }),
  ];
}

/** The type that a schema asks for, in words. */
function typeOf(schema: unknown): string {
  const type = isMapping(schema) ? schema["type"] : undefined;
  return type === "integer" || type === "array" || type === "object" ? `an ${type}` : `a ${String(type)}`;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return isMapping(value) ? "a mapping" : `a ${typeof value}`;
}
