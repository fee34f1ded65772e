import { causeChain, causeTypes } from "./errors";

/**
 * Fields that hold credentials, keys or a whole task, in any spelling: `apiKey`, `api_key`, `x-api-key`. The SDK logs
 * tasks that it cannot decode, and on level `trace` every task.
 */
const SECRET_FIELD =
  /^(task|taskEncoded|activation|completion|headers?|memo|payloads?|cookie)$|token|secret|password|passphrase|credential|authorization|(api|private|codec|encryption)[-_]?key$/i;

/** Credentials inside of texts, such as the message of a failed request; a private key ends at the latest with its text. */
const CREDENTIALS = [
  /\b(?:Bearer|Basic)\s+(?:[\w.~+/-]{16,}=*|[\w.~+/-]{6,}={1,2})/gi,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[^"]*?(?:-----END [A-Z ]*PRIVATE KEY-----|(?=")|$)/g,
];

const MAX_DEPTH = 8;

/** What describes an error, in the log. */
type Describe = (error: Error) => Record<string, unknown>;

/** Failures carry their payloads as properties; only what describes them may reach the log. */
const withMessages: Describe = (error) => {
  const [type, ...causes] = causeChain(error);
  return { type, stack: error.stack, ...(causes.length === 0 ? {} : { causes }) };
};

/** Types and places only: a message may hold what somebody ordered, or who. */
const withoutMessages: Describe = (error) => {
  const [type, ...causes] = causeTypes(error);
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return { type, stack: frames.join("\n"), ...(causes.length === 0 ? {} : { causes }) };
};

/**
 * Log fields without secrets: fields that hold them by their name, and binary values, which are payloads and keys, are
 * left out at any depth; errors are reduced to type, stack, causes and, if asked for, messages.
 */
export function fieldRedaction(failureMessages: boolean): (fields: object) => Record<string, unknown> {
  const describe = failureMessages ? withMessages : withoutMessages;

  const redactFields = (fields: object, depth: number): Record<string, unknown> => {
    const kept = Object.entries(fields).filter(
      ([name, value]) => !SECRET_FIELD.test(name) && !isBinary(value),
    );
    return Object.fromEntries(kept.map(([name, value]) => [name, redactValue(value, depth + 1)]));
  };
  const redactValue = (value: unknown, depth: number): unknown => {
    if (typeof value !== "object" || value === null || value instanceof Date) return value;
    if (value instanceof Error) return describe(value);
    if (depth > MAX_DEPTH) return "[deeper]";
    if (Array.isArray(value)) {
      return value.filter((item) => !isBinary(item)).map((item) => redactValue(item, depth + 1));
    }
    return redactFields(value, depth);
  };
  return (fields) => redactFields(fields, 0);
}

function isBinary(value: unknown): boolean {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}

/** A text without `Authorization` values and private keys. */
export function redactText(text: string): string {
  return CREDENTIALS.reduce((rest, pattern) => rest.replace(pattern, "[redacted]"), text);
}
