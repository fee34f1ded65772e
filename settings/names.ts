import { parse } from "yaml";
import { z } from "zod";
import { ifWrongType, oneOf, text } from "./fields";

/*
 * Names as Kubernetes, Helm and Temporal take them.
 */

const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const LABEL_1035 = /^[a-z]([a-z0-9-]*[a-z0-9])?$/;
/** Kubernetes limits a subdomain as a whole, not its labels. */
const SUBDOMAIN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const QUALIFIED_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;

const LETTERS = 'lower-case letters, digits and "-", beginning and ending with a letter or digit';

/** A name that Kubernetes takes as an RFC 1123 label, like that of a namespace. */
export function dnsLabel(what: string, maxLength = 63) {
  return text(`${what} of ${LETTERS}, at most ${String(maxLength)} characters`, LABEL, maxLength);
}

/** A name that Kubernetes takes as an RFC 1035 label, as Services have it: beginning with a letter. */
export function serviceLabel(what: string, maxLength = 63) {
  return text(
    `${what} of lower-case letters, digits and "-", beginning with a letter and ending with a letter or digit, at most ${String(maxLength)} characters`,
    LABEL_1035,
    maxLength,
  );
}

/** A name that Kubernetes takes as an RFC 1123 subdomain, like those of Secrets and storage classes. */
export function objectName(what: string) {
  return text(
    `${what} of lower-case letters, digits, "-" and ".", each part beginning and ending with a letter or digit, at most 253 characters`,
    SUBDOMAIN,
    253,
  );
}

/** A key of a Secret or ConfigMap. */
export function secretKey(what = "a key of the Secret") {
  return text(
    `${what} of letters, digits, "-", "_" and ".", at most 253 characters, other than "." and ".."`,
    /^(?!\.\.?$)(?!\.\.)[A-Za-z0-9._-]+$/,
    253,
  );
}

/**
 * Narrows a name to what YAML reads as text. Charts write many names without quotes, and what reads as a
 * number, a date or a truth value is refused by the API server, or becomes another name (`1e3`, `010`).
 */
export function inYaml<Field extends z.ZodString>(field: Field) {
  return field.refine(isYamlText, {
    error: ({ input }) =>
      isYamlText(String(input))
        ? undefined
        : "a name that YAML reads as text, not as a number, a date, null or a boolean",
  });
}

/** Whether YAML 1.1, as Helm reads it, and YAML 1.2 both take a plain scalar for the text that it is. */
export function isYamlText(value: string): boolean {
  return (["yaml-1.1", "core"] as const).every((schema) => {
    try {
      return parse(value, { schema, logLevel: "silent" }) === value;
    } catch {
      return false;
    }
  });
}

/** Labels by key. */
export function labelMap(what: string) {
  const expected = `a mapping of label keys to texts (${what})`;
  return z.record(qualifiedName("a label key"), labelValue(), ifWrongType(expected));
}

/** Bytes that the annotations of one object may have (`TotalAnnotationSizeLimitB`). */
const ANNOTATION_BYTES = 256 * 1024;

/** Annotations by key. */
export function annotationMap() {
  const value = z
    .string({ error: "a text (numbers and true/false in quotes)" })
    .regex(/^[^\p{Cs}\0]*$/u, { error: "a text without NUL" });
  return z
    .record(qualifiedName("an annotation key"), value, ifWrongType("a mapping of annotation keys to texts"))
    .refine((map) => byteLength(map) <= ANNOTATION_BYTES, { error: "a mapping of at most 256 KiB" });
}

/** Bytes of the keys and values of a mapping of texts. */
export function byteLength(map: Readonly<Record<string, string>>): number {
  return Object.entries(map).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
}

/** A label value. */
export function labelValue() {
  return text(
    'a label value: at most 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit, or empty',
    LABEL_VALUE,
    63,
  );
}

/** Whether Kubernetes takes a text as a label value. */
export function isLabelValue(value: string): boolean {
  return LABEL_VALUE.test(value);
}

function qualifiedName(what: string) {
  const error = `${what}: at most 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit, after an optional DNS name and "/"`;
  return z.string().refine(isQualifiedName, { error });
}

function isQualifiedName(key: string): boolean {
  const slash = key.lastIndexOf("/");
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  return (
    QUALIFIED_NAME.test(key.slice(slash + 1)) &&
    (prefix === undefined || (prefix.length <= 253 && SUBDOMAIN.test(prefix)))
  );
}

/**
 * Name of a Temporal namespace. `temporal-system` is the server's own (`common/primitives/namespaces.go`).
 */
export const temporalNamespace = text(
  'a Temporal namespace: letters, digits, ".", "_" and "-", beginning with a letter or digit, at most 255 characters',
  /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
  255,
).regex(/^(?!temporal-sys(tem$|-))/i, {
  error: "a Temporal namespace other than temporal-system and temporal-sys-..., which are the server's own",
});

/**
 * Name of a task queue. Reserved are the prefixes of partitions (`common/tqid`) and of the server's own queues
 * (`common/primitives/task_queues.go`).
 */
export const taskQueue = text(
  "a task queue name: 1 to 200 printable ASCII characters without commas, and without spaces at the ends",
  /^(?! )[ -+\--~]+(?<! )$/,
  200,
).regex(/^(?!\/_sys\/|\/?temporal-sys[-/]|default-worker-tq$)/, {
  error:
    "a task queue name other than /_sys/..., temporal-sys-... and default-worker-tq, which are the server's own",
});

/** Types of custom search attributes. */
export const SEARCH_ATTRIBUTE_TYPES = [
  "Bool",
  "Datetime",
  "Double",
  "Int",
  "Keyword",
  "KeywordList",
  "Text",
] as const;

/**
 * Names that the server refuses for a custom search attribute: system, predefined and internal fields
 * (`common/searchattribute/sadefs/constants.go`). Everything that begins with `Temporal` is reserved as well.
 */
const SYSTEM_SEARCH_ATTRIBUTES = new Set([
  ...["WorkflowId", "RunId", "WorkflowType", "StartTime", "ExecutionTime", "CloseTime", "ExecutionStatus"],
  ...["TaskQueue", "HistoryLength", "ExecutionDuration", "StateTransitionCount", "HistorySizeBytes"],
  ...["ParentWorkflowId", "ParentRunId", "RootWorkflowId", "RootRunId"],
  ...["BinaryChecksums", "BuildIds", "BatcherNamespace", "BatcherUser"],
  ...["NamespaceId", "MemoEncoding", "Memo", "VisibilityTaskKey"],
]);

/** Columns of the visibility schema, to which the server maps names: a name that is one cannot be told from it. */
const VISIBILITY_COLUMN = new RegExp(`^(${SEARCH_ATTRIBUTE_TYPES.join("|")})(0[1-9]|[1-9][0-9])$`);

function isFreeSearchAttribute(name: string): boolean {
  return !name.startsWith("Temporal") && !SYSTEM_SEARCH_ATTRIBUTES.has(name) && !VISIBILITY_COLUMN.test(name);
}

/**
 * Columns for custom search attributes in the SQL visibility schemas, by type
 * (`schema/postgresql/v12/visibility/schema.sql` of the server; SQLite has the same).
 */
export const SEARCH_ATTRIBUTE_COLUMNS: Readonly<Record<(typeof SEARCH_ATTRIBUTE_TYPES)[number], number>> = {
  Bool: 3,
  Datetime: 3,
  Double: 3,
  Int: 3,
  Keyword: 10,
  KeywordList: 3,
  Text: 3,
};

/** Custom search attributes: their types by name. */
export function searchAttributes() {
  const name = text(
    "a search attribute name: a letter, then letters, digits and _, at most 64 characters",
    /^[A-Za-z]\w*$/,
    64,
  ).refine(isFreeSearchAttribute, {
    error:
      "a search attribute name that is not the server's own (Temporal..., its system attributes, and columns like Keyword01)",
  });
  return z
    .record(name, oneOf(SEARCH_ATTRIBUTE_TYPES), ifWrongType("a mapping of names to types"))
    .check(({ value, issues }) => {
      for (const type of SEARCH_ATTRIBUTE_TYPES) {
        const names = Object.keys(value).filter((key) => value[key] === type);
        const columns = SEARCH_ATTRIBUTE_COLUMNS[type];
        if (names.length > columns) {
          issues.push({
            code: "custom",
            input: value,
            path: [],
            message: `the SQL visibility store has columns for ${columns} search attributes of type ${type}, not for ${names.length} (${names.join(", ")}); use another type or fewer attributes`,
            params: { sentence: true },
          });
        }
      }
    });
}
