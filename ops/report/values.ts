import { isMapping, type Mapping } from "../../settings/mapping";

/*
 * Values of properties as the engine's events hold them: plain JSON, with marks for what is no JSON.
 */

/** A mapping with this key is no mapping, but what its value says. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURES = [
  "1b47061264138c4ac30d75fd1eb44270",
  // An output whose value is not looked into: it may hold a secret.
  "d0e6a833031e9bbcd3f4e8bde6ca49a4",
];
/** Stands for a value that only the update will know. */
const UNKNOWN_VALUE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export const SECRET = "(secret)";
export const UNKNOWN = "(known after the update)";
const OPAQUE = "(file or reference)";
const TOO_DEEP = "(nested too deeply)";

const MAX_DEPTH = 60;

/** Last parts of paths whose values are secrets also where nobody has marked them. */
const SENSITIVE_NAME =
  /(password|passwd|passphrase|private_?key|api_?key|access_?key|secret_?key|auth_?token|bearer|credentials?)$/i;

/** One value that holds no others. */
export interface Leaf {
  /** With names instead of numbers where the items of a list have names: `containers[worker].image`. */
  readonly path: string;
  /** As the engine writes it: `containers[0].image`. */
  readonly enginePath: string;
  /** For people; secrets are masked unless asked for. */
  readonly text: string;
  readonly secret: boolean;
}

interface Place {
  readonly path: string;
  readonly enginePath: string;
  readonly depth: number;
  /** Whether everything from here on is secret. */
  readonly sensitive: boolean;
}

/**
 * Takes the inputs of a resource apart.
 *
 * @param mask whether secrets are masked (the default), also those that the program forgot to mark: the data of
 * Kubernetes Secrets, and what is named like a password
 * @returns leaves by {@link Leaf.path}
 */
export function leavesOf(inputs: Mapping, { mask = true } = {}): Map<string, Leaf> {
  const leaves = new Leaves(mask);
  const isSecret = inputs["kind"] === "Secret";
  for (const [key, value] of Object.entries(inputs)) {
    const sensitive = isSecret && (key === "data" || key === "stringData");
    visit(value, { path: pathKey(key), enginePath: pathKey(key), depth: 0, sensitive }, key, leaves);
  }
  return leaves.found;
}

class Leaves {
  readonly found = new Map<string, Leaf>();

  constructor(private readonly mask: boolean) {}

  add({ path, enginePath, sensitive }: Place, key: string, text: string): void {
    const named = (sensitive || SENSITIVE_NAME.test(key)) && text !== UNKNOWN && !isTrivial(text);
    const secret = text === SECRET || named;
    const shown = secret && this.mask ? SECRET : text;
    this.found.set(path, { path, enginePath, text: shown, secret });
  }
}

function visit(value: unknown, place: Place, key: string, leaves: Leaves): void {
  const special = specialText(value);
  if (special !== undefined || !isContainer(value)) {
    leaves.add(place, key, special ?? plainText(value));
  } else if (place.depth >= MAX_DEPTH) {
    leaves.add(place, key, TOO_DEEP);
  } else if (Array.isArray(value)) {
    const names = namesOf(value);
    value.forEach((item, index) => {
      const inner = { ...below(place, `[${index}]`), path: `${place.path}[${names?.[index] ?? index}]` };
      visit(item, inner, key, leaves);
    });
  } else if (isMapping(value)) {
    for (const [name, item] of Object.entries(value)) {
      const inner = below(place, pathPart(name));
      visit(item, { ...inner, sensitive: inner.sensitive || hidesValue(value, name) }, name, leaves);
    }
  }
}

/** Switches and empty values say nothing. */
const isTrivial = (text: string): boolean => /^(true|false|null|""|\{\}|\[\]|)$/.test(text);

const below = (place: Place, part: string): Place => ({
  path: place.path + part,
  enginePath: place.enginePath + part,
  depth: place.depth + 1,
  sensitive: place.sensitive,
});

/** `{name: DATABASE_PASSWORD, value: ...}`, as in a container's environment. */
const hidesValue = (mapping: Mapping, key: string): boolean =>
  key === "value" && typeof mapping["name"] === "string" && SENSITIVE_NAME.test(mapping["name"]);

const isContainer = (value: unknown): value is Mapping | unknown[] =>
  typeof value === "object" && value !== null && Object.keys(value).length > 0;

/** Names of a list's items, if each has one of its own. */
function namesOf(list: readonly unknown[]): string[] | undefined {
  const names = list.flatMap((item) =>
    isMapping(item) && typeof item["name"] === "string" ? [item["name"]] : [],
  );
  return names.length === list.length && new Set(names).size === names.length ? names : undefined;
}

function pathPart(key: string): string {
  const part = pathKey(key);
  return part.startsWith("[") ? part : `.${part}`;
}

const pathKey = (key: string): string =>
  /^[A-Za-z_$][\w$-]*$/.test(key) ? key : `["${key.replaceAll('"', '\\"')}"]`;

/** Whether a value stands for another one that is not to be seen, such as a secret. */
export const isMarked = (value: unknown): boolean => specialText(value) !== undefined;

function specialText(value: unknown): string | undefined {
  if (value === UNKNOWN_VALUE) return UNKNOWN;
  if (!isMapping(value) || typeof value[SIGNATURE] !== "string") return undefined;
  return SECRET_SIGNATURES.includes(value[SIGNATURE]) ? SECRET : OPAQUE;
}

function plainText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
