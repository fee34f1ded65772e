import { randomInt } from "node:crypto";
import { containsUnknown, type PropertyMap, secret, UNKNOWN } from "../runtime/properties";
import type {
  CheckFailure,
  PropertySchema,
  ResourceSchema,
  ResourceState,
  ResourceType,
} from "../runtime/resource";
import { checkAtLeast, checkShape, integer, replacements } from "./inputs";

/** Which characters a generated string is made of. Counts are minimums. */
export interface StringRules {
  readonly length: number;
  readonly upper: boolean;
  readonly lower: boolean;
  readonly numeric: boolean;
  readonly special: boolean;
  readonly minUpper: number;
  readonly minLower: number;
  readonly minNumeric: number;
  readonly minSpecial: number;
  /** Characters that count as special. */
  readonly overrideSpecial: string;
}

const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER = "abcdefghijklmnopqrstuvwxyz";
const NUMERIC = "0123456789";
/** Default of the official provider, as its schema documents it. */
const SPECIAL = "!@#$%&*()-_=+[]{}<>:?";
/** Cost that the official provider uses (the default of Go's bcrypt package). */
const BCRYPT_COST = 10;

const FLAGS = ["lower", "numeric", "special", "upper"] as const;
const MINIMUMS = ["minLower", "minNumeric", "minSpecial", "minUpper"] as const;

const INPUTS: Readonly<Record<string, PropertySchema>> = {
  keepers: { type: "map" },
  length: { type: "integer", required: true },
  lower: { type: "boolean" },
  minLower: { type: "integer" },
  minNumeric: { type: "integer" },
  minSpecial: { type: "integer" },
  minUpper: { type: "integer" },
  number: { type: "boolean" },
  numeric: { type: "boolean" },
  overrideSpecial: { type: "string" },
  special: { type: "boolean" },
  upper: { type: "boolean" },
};

function pick(alphabet: readonly string[], count: number): string[] {
  return Array.from({ length: count }, () => alphabet[randomInt(alphabet.length)] ?? "");
}

/** Fisher–Yates, so that the place of a character says nothing about its class. */
function shuffled(characters: string[]): string[] {
  for (let last = characters.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    const moved = characters[last] ?? "";
    characters[last] = characters[other] ?? "";
    characters[other] = moved;
  }
  return characters;
}

/**
 * Generates a string with a cryptographic random number generator.
 *
 * As with the official provider a minimum counts even where its class is otherwise switched off.
 */
export function generateString(rules: StringRules): string {
  const special = Array.from(rules.overrideSpecial || SPECIAL);
  const classes = [
    { enabled: rules.upper, minimum: rules.minUpper, alphabet: Array.from(UPPER) },
    { enabled: rules.lower, minimum: rules.minLower, alphabet: Array.from(LOWER) },
    { enabled: rules.numeric, minimum: rules.minNumeric, alphabet: Array.from(NUMERIC) },
    { enabled: rules.special, minimum: rules.minSpecial, alphabet: special },
  ];
  const required = classes.flatMap(({ alphabet, minimum }) => pick(alphabet, minimum));
  const allowed = classes.filter(({ enabled }) => enabled).flatMap(({ alphabet }) => alphabet);
  return shuffled([...required, ...pick(allowed, rules.length - required.length)]).join("");
}

/** Fills in the defaults: all classes on, no minimums; `number` is the deprecated name of `numeric`. */
function withDefaults(inputs: PropertyMap): PropertyMap {
  const numeric = inputs["numeric"] ?? inputs["number"] ?? true;
  return {
    lower: true,
    special: true,
    upper: true,
    minLower: 0,
    minNumeric: 0,
    minSpecial: 0,
    minUpper: 0,
    ...inputs,
    number: inputs["number"] ?? numeric,
    numeric,
  };
}

function rulesOf(inputs: PropertyMap): StringRules {
  const values = withDefaults(inputs);
  const override = values["overrideSpecial"];
  return {
    length: integer(values, "length"),
    upper: values["upper"] === true,
    lower: values["lower"] === true,
    numeric: values["numeric"] === true,
    special: values["special"] === true,
    minUpper: integer(values, "minUpper"),
    minLower: integer(values, "minLower"),
    minNumeric: integer(values, "minNumeric"),
    minSpecial: integer(values, "minSpecial"),
    overrideSpecial: typeof override === "string" ? override : "",
  };
}

function checkRules(inputs: PropertyMap): CheckFailure[] {
  const rules = rulesOf(inputs);
  const failures = ["length", ...MINIMUMS].flatMap((property) =>
    checkAtLeast(inputs, property, property === "length" ? 1 : 0),
  );
  const minimum = MINIMUMS.reduce((sum, property) => sum + rules[property], 0);
  if (rules.length < minimum) {
    failures.push({
      property: "length",
      reason: `expected at least the sum of ${MINIMUMS.join(", ")} (${String(minimum)}), got ${String(rules.length)}`,
    });
  }
  if (FLAGS.every((property) => !rules[property])) {
    failures.push({ property: "numeric", reason: `expected at least one of ${FLAGS.join(", ")} to be true` });
  }
  const { number, numeric } = inputs;
  if (number !== undefined && numeric !== undefined && number !== numeric) {
    failures.push({ property: "number", reason: "differs from numeric; give numeric only" });
  }
  return failures;
}

/** Hashes as the official provider does: bcrypt of at most the first 72 bytes. */
async function bcryptHash(password: string): Promise<string> {
  const { genSalt, hash } = await import("bcryptjs");
  const salt = await genSalt(BCRYPT_COST);
  return hash(password, salt.replace(/^\$2b\$/, "$2a$"));
}

const schema: ResourceSchema = {
  inputs: INPUTS,
  outputs: { bcryptHash: { type: "string", secret: true }, result: { type: "string", secret: true } },
};
/** Version of the state's layout, which the official plugin looks for when it takes the state over. */
const META = { __meta: JSON.stringify({ schema_version: "3" }) };
const ID = "none";

const finished = async (inputs: PropertyMap, result: string): Promise<ResourceState> => ({
  id: ID,
  state: {
    ...withDefaults(inputs),
    bcryptHash: secret(await bcryptHash(result)),
    result: secret(result),
    ...META,
    id: ID,
  },
});

const emptyAsAbsent = (values: PropertyMap): PropertyMap =>
  Object.fromEntries(
    Object.entries(withDefaults(values)).filter(([key, value]) => key !== "overrideSpecial" || value !== ""),
  );

/** `random:index/randomPassword:RandomPassword`: its result and its hash are secret. */
export const randomPassword: ResourceType = {
  schema,
  check(inputs) {
    const shape = checkShape(schema, inputs);
    const failures = shape.length > 0 || containsUnknown(inputs) ? shape : checkRules(inputs);
    return { inputs, failures };
  },
  diff: (state, inputs) => replacements(schema, emptyAsAbsent(state), emptyAsAbsent(inputs)),
  async create(inputs, preview) {
    if (!preview) return finished(inputs, generateString(rulesOf(inputs)));
    const unknown = Object.fromEntries(Object.keys(schema.outputs).map((key) => [key, UNKNOWN]));
    return { id: "", state: { ...withDefaults(inputs), ...unknown } };
  },
  async adopt(result) {
    const inputs = { length: Buffer.byteLength(result) };
    return { ...(await finished(inputs, result)), inputs };
  },
};
