import { randomUUID } from "node:crypto";
import { UNKNOWN } from "../runtime/properties";
import type { ResourceSchema, ResourceType } from "../runtime/resource";
import { checkShape, replacements } from "./inputs";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const schema: ResourceSchema = {
  inputs: { keepers: { type: "map" } },
  outputs: { result: { type: "string" } },
};

/** `random:index/randomUuid:RandomUuid`: not secret, and its id is the UUID. */
export const randomUuid: ResourceType = {
  schema,
  check: (inputs) => ({ inputs, failures: checkShape(schema, inputs) }),
  diff: (state, inputs) => replacements(schema, state, inputs),
  create(inputs, preview) {
    if (preview) return { id: "", state: { ...inputs, result: UNKNOWN } };
    const result = randomUUID();
    return { id: result, state: { ...inputs, id: result, result } };
  },
  adopt(id) {
    if (!UUID.test(id)) throw new Error(`cannot import ${JSON.stringify(id)}: expected a UUID`);
    const result = id.toLowerCase();
    return { id: result, state: { id: result, result }, inputs: {} };
  },
};
