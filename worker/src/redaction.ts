import { causeChain } from "./errors";

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

/** Failures carry their payloads as properties; only what describes them may reach the log. */
function describe(error: Error): Record<string, unknown> {
  const [type, ...causes] = causeChain(error);
  return { type, stack: error.stack, ...(causes.length === 0 ? {} : { causes }) };
}

/**
 * Log fields without secrets: fields that hold them by their name, and binary values, which are payloads and keys, are
 * left out at any depth; errors are reduced to type, message, stack and causes.
 */
export function redactFields(fields: object, depth = 0): Record<string, unknown> {
  const kept = Object.entries(fields).filter(([name, value]) => !SECRET_FIELD.test(name) && !isBinary(value));
  return Object.fromEntries(kept.map(([name, value]) => [name, redactValue(value, depth + 1)]));
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (value instanceof Error) return describe(value);
  if (depth > MAX_DEPTH) return "[deeper]";
  if (Array.isArray(value)) {
    return value.filter((item) => !isBinary(item)).map((item) => redactValue(item, depth + 1));
  }
  return redactFields(value, depth);
}

function isBinary(value: unknown): boolean {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}

/** A text without `Authorization` values and private keys. */
export function redactText(text: string): string {
  return CREDENTIALS.reduce((rest, pattern) => rest.replace(pattern, "[redacted]"), text);
}
