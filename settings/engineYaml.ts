import { RunError } from "@pulumi/pulumi/errors";
import { type Document, LineCounter, parseDocument, type ScalarTag, type YAMLError } from "yaml";
import { isMapping, type Mapping } from "./mapping";
import { ENCRYPTED } from "./sensitive";

/*
 * YAML as the Pulumi engine reads it: with gopkg.in/yaml.v3, which is neither YAML 1.1 nor 1.2. `010` is 8, `yes` is a
 * string, a date is a time, `<<` merges.
 */

const WORDS: Readonly<Record<string, boolean | null>> = {
  ...{ true: true, True: true, TRUE: true, false: false, False: false, FALSE: false },
  ...{ "": null, "~": null, null: null, Null: null, NULL: null },
};
const NOT_FINITE = /^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$/;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|0[bB]([01]+)|(0|[1-9][0-9]*))$/;
const TIME =
  /^(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt](\d\d?):(\d\d?):(\d\d?)(\.\d+)?(Z|[-+]\d\d:\d\d))|(?: (\d\d?):(\d\d?):(\d\d?)(\.\d+)?))?$/;

/** A scalar without quotes and tag. */
function resolvePlain(text: string): unknown {
  const word = Object.hasOwn(WORDS, text) ? WORDS[text] : undefined;
  if (word !== undefined) return word;
  if (NOT_FINITE.test(text)) throw new Error("a number that JSON cannot express");
  if (!/^[-+.0-9]/.test(text)) return text;
  const time = timeOf(text);
  if (time !== undefined) return time;
  const digits = text.startsWith(".") ? text : text.replaceAll("_", "");
  return integerOf(digits) ?? (FLOAT.test(digits) ? Number(digits) : text);
}

function integerOf(digits: string): number | undefined {
  const [, sign, hex, octal, binary, decimal] = INTEGER.exec(digits) ?? [];
  const amount =
    hex !== undefined
      ? parseInt(hex, 16)
      : octal !== undefined
        ? parseInt(octal, 8)
        : binary !== undefined
          ? parseInt(binary, 2)
          : decimal === undefined
            ? undefined
            : Number(decimal);
  if (amount === undefined) return undefined;
  return sign === "-" && amount !== 0 ? -amount : amount;
}

/** A time in the form in which the engine hands it on, Go's `Time.String`. */
function timeOf(text: string): string | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [, year = "", month = "", day = "", ...clock] = match;
  const [hours = "0", minutes = "0", seconds = "0", fraction = ""] =
    clock[0] === undefined ? clock.slice(5) : clock;
  const zone = clock[4] ?? "Z";
  const two = (part: string) => part.padStart(2, "0");
  const date = `${year}-${two(month)}-${two(day)}`;
  const parsed = new Date(`${date}T${two(hours)}:${two(minutes)}:${two(seconds)}Z`);
  if (Number.isNaN(parsed.getTime()) || !parsed.toISOString().startsWith(date)) return undefined;
  const offset = zone.replace(":", "");
  const suffix = zone === "Z" || offset === "+0000" ? "+0000 UTC" : `${offset} ${offset}`;
  const rest = fraction.replace(/\.?0*$/, "");
  return `${date} ${two(hours)}:${two(minutes)}:${two(seconds)}${rest} ${suffix}`;
}

const plain: ScalarTag = {
  default: true,
  tag: "tag:yaml.org,2002:plain",
  test: /^(?:[-+.0-9~].*|[tTfF]\w+|[nN]\w+|)$/s,
  resolve: resolvePlain,
};

const ENGINE = {
  schema: "failsafe",
  merge: true,
  customTags: (tags) => [...tags.filter((tag) => typeof tag !== "string"), plain],
} as const satisfies Options;

/**
 * The value of a YAML text, as the engine reads it.
 * @param file name of its file, for messages
 * @throws RunError on what the engine refuses: bad syntax, a key twice, a key that is no string. It names file,
 * line and key, and quotes no value
 */
export function parseAsEngine(text: string, file: string): unknown {
  const document = readDocument(text.replace(/^\uFEFF/, ""), file, ENGINE);
  try {
    return plainValue(document.toJS({ mapAsMap: true }));
  } catch (error) {
    throw new RunError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * The document of a YAML text that is edited, with its comments.
 * @throws RunError as {@link parseAsEngine}
 */
export const documentOf = (text: string, file: string): Document => readDocument(text, file, {});

type Options = NonNullable<Parameters<typeof parseDocument>[1]>;

function readDocument(text: string, file: string, options: Options): Document {
  const lineCounter = new LineCounter();
  // Messages without the lines of the file.
  const document = parseDocument(text, { ...options, prettyErrors: false, lineCounter });
  const problems = document.errors.map((error) => {
    const { line } = lineCounter.linePos(error.pos[0]);
    return `${file}, line ${String(line)}: ${syntaxProblem(error, text)}`;
  });
  if (problems.length > 0) throw new RunError(problems.join("\n"));
  return document;
}

/** What is wrong, in words of our own: the parser's quote what stands there, which may be a secret. */
function syntaxProblem({ code, pos: [start] }: YAMLError, text: string): string {
  if (code !== "DUPLICATE_KEY") return "is not YAML that Pulumi reads; correct its syntax";
  const key = /^[\w./-]+(?::[\w./-]+)*/.exec(text.slice(start).replace(/^["']/, ""))?.[0] ?? "";
  return `the key ${key === "" ? "here" : `"${key}"`} stands twice in one mapping; remove one of the two, or merge what is below them`;
}

function plainValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainValue);
  if (!(value instanceof Map)) return value;
  const entries = [...value].map(([key, entry]: [unknown, unknown]): [string, unknown] => {
    if (typeof key !== "string") throw new Error(`the key ${String(key)} is no string: put it in quotes`);
    return [key, plainValue(entry)];
  });
  // Defines `__proto__` as a key like any other, which an assignment would not.
  return Object.fromEntries(entries);
}

/**
 * What stands under `config` in a stack file, by full key. A key without prefix belongs to the project.
 * @param file name of the stack file, for messages
 * @throws RunError as {@link parseAsEngine}
 */
export function configOf(text: string, project: string, file: string): Mapping {
  const content = parseAsEngine(text, file);
  const written = isMapping(content) && isMapping(content["config"]) ? content["config"] : {};
  return Object.fromEntries(Object.entries(written).map(([key, value]) => [fullKey(key, project), value]));
}

/** The full key of what a stack file writes in a shorter or older form. */
export function fullKey(key: string, project: string): string {
  return key.includes(":") ? key.replace(/^([^:]+):config:/, "$1:") : `${project}:${key}`;
}

/** The ciphertext of an encrypted value, which the CLI writes as a mapping with the one key `secure`. */
export function isEncrypted(value: unknown): boolean {
  return isMapping(value) && Object.keys(value).length === 1 && typeof value["secure"] === "string";
}

/** A value whose encrypted parts stand as secrets that nobody can use. */
export function unopened(value: unknown): unknown {
  if (isEncrypted(value)) return ENCRYPTED;
  if (Array.isArray(value)) return value.map(unopened);
  return isMapping(value) ? unopenedMapping(value) : value;
}

/** The same of a mapping that is not itself an encrypted value. */
export const unopenedMapping = (value: Mapping): Mapping =>
  Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, unopened(entry)]));

/** A section in the form in which the engine hands it to a program. */
export function asEngineText(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
