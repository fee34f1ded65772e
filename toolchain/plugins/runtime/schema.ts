import type { PluginMetadata } from "./metadata";
import type { PropertySchema, ProviderDefinition, ResourceSchema } from "./resource";

function propertySchema({ type, secret }: PropertySchema): Record<string, unknown> {
  const shape =
    type === "map"
      ? { type: "object", additionalProperties: { type: "string" } }
      : type === "object"
        ? { type: "object", additionalProperties: { $ref: "pulumi.json#/Any" } }
        : type === "array"
          ? { type, items: { $ref: "pulumi.json#/Any" } }
          : { type };
  return secret ? { ...shape, secret } : shape;
}

function properties(schemas: Readonly<Record<string, PropertySchema>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, propertySchema(schema)]));
}

function resourceSchema({ inputs, outputs }: ResourceSchema): Record<string, unknown> {
  return {
    properties: properties({ ...inputs, ...outputs }),
    required: Object.keys(outputs),
    inputProperties: properties(inputs),
    requiredInputs: Object.keys(inputs).filter((name) => inputs[name]?.required),
  };
}

/** The package schema in Pulumi's format, for the types that are served. */
export function providerSchema(
  metadata: PluginMetadata,
  definition: ProviderDefinition,
): Record<string, unknown> {
  return {
    name: metadata.name,
    version: metadata.version,
    resources: Object.fromEntries(
      Object.entries(definition.types).map(([token, type]) => [token, resourceSchema(type.schema)]),
    ),
  };
}
