import { randomBytes as generate } from "node:crypto";
import { type PropertyMap, secret, UNKNOWN } from "../runtime/properties";
import type { ResourceSchema, ResourceState, ResourceType } from "../runtime/resource";
import { checkAtLeast, checkShape, integer, replacements } from "./inputs";

interface BytesFlavour {
  readonly schema: ResourceSchema;
  /** Name of the input that gives the number of bytes. */
  readonly lengthProperty: string;
  finished(inputs: PropertyMap, bytes: Buffer): ResourceState;
  /** Takes an id given to `pulumi import` apart. */
  parse(id: string): { bytes: Buffer; inputs: PropertyMap };
}

function bytesType(flavour: BytesFlavour): ResourceType {
  const { schema, lengthProperty } = flavour;
  return {
    schema,
    check(inputs) {
      return {
        inputs,
        failures: [...checkShape(schema, inputs), ...checkAtLeast(inputs, lengthProperty, 1)],
      };
    },
    diff: (state, inputs) => replacements(schema, state, inputs),
    create(inputs, preview) {
      if (!preview) return flavour.finished(inputs, generate(integer(inputs, lengthProperty)));
      const unknown = Object.fromEntries(Object.keys(schema.outputs).map((key) => [key, UNKNOWN]));
      return { id: "", state: { ...inputs, ...unknown } };
    },
    adopt(id) {
      const { bytes, inputs } = flavour.parse(id);
      if (bytes.length === 0)
        throw new Error(`cannot import ${JSON.stringify(id)}: expected base64 of the bytes`);
      const complete = { ...inputs, [lengthProperty]: bytes.length };
      return { ...flavour.finished(complete, bytes), inputs: complete };
    },
  };
}

/** `random:index/randomBytes:RandomBytes`: a secret or key; its id is the base64 form. */
export const randomBytes = bytesType({
  schema: {
    inputs: { keepers: { type: "map" }, length: { type: "integer", required: true } },
    outputs: { base64: { type: "string", secret: true }, hex: { type: "string", secret: true } },
  },
  lengthProperty: "length",
  finished: (inputs, bytes) => ({
    id: bytes.toString("base64"),
    state: { ...inputs, base64: secret(bytes.toString("base64")), hex: secret(bytes.toString("hex")) },
  }),
  parse: (id) => ({ bytes: Buffer.from(id, "base64"), inputs: {} }),
});

/** `random:index/randomId:RandomId`: not secret; every output begins with the prefix, the id does not. */
export const randomId = bytesType({
  schema: {
    inputs: {
      byteLength: { type: "integer", required: true },
      keepers: { type: "map" },
      prefix: { type: "string" },
    },
    outputs: {
      b64Std: { type: "string" },
      b64Url: { type: "string" },
      dec: { type: "string" },
      hex: { type: "string" },
    },
  },
  lengthProperty: "byteLength",
  finished(inputs, bytes) {
    const given = inputs["prefix"];
    const prefix = typeof given === "string" ? given : "";
    const id = bytes.toString("base64url");
    const hex = bytes.toString("hex");
    return {
      id,
      state: {
        ...inputs,
        b64Std: prefix + bytes.toString("base64"),
        b64Url: prefix + id,
        dec: prefix + BigInt(`0x${hex}`).toString(),
        hex: prefix + hex,
        id,
      },
    };
  },
  parse(id) {
    const comma = id.lastIndexOf(",");
    return {
      bytes: Buffer.from(id.slice(comma + 1), "base64url"),
      inputs: comma < 0 ? {} : { prefix: id.slice(0, comma) },
    };
  },
});
