import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Bytes of an AES-256 key. */
export const KEY_BYTES = 32;

/** Keys by id, and the id of the one that new payloads are encrypted with. */
export interface Keyring {
  readonly activeKeyId: string;
  readonly keys: ReadonlyMap<string, Buffer>;
}

/** Every problem of a keyring directory at once. The messages name files, never their content. */
export class KeyringError extends Error {
  override readonly name = "KeyringError";

  constructor(readonly problems: readonly string[]) {
    super(problems.join("; "));
  }
}

function decodeKey(text: string): Buffer | undefined {
  const compact = text.trim();
  const key = Buffer.from(compact, "base64");
  // Node skips what is not base64; encoding again shows whether anything was skipped.
  return key.length === KEY_BYTES && key.toString("base64") === compact ? key : undefined;
}

/**
 * Reads a mounted Secret: one file per key, the file's name is the key id, its content is base64 of 32 bytes.
 * Names that begin with a dot are the kubelet's own and are skipped.
 *
 * @throws KeyringError naming every file that is no key, and a missing active key
 */
export function loadKeyring(directory: string, activeKeyId: string): Keyring {
  let names: string[];
  try {
    names = readdirSync(directory).filter((name) => !name.startsWith("."));
  } catch (error) {
    throw new KeyringError([`${directory}: cannot be read (${errorCode(error)})`]);
  }
  const keys = new Map<string, Buffer>();
  const problems: string[] = [];
  for (const name of names.sort()) {
    const path = join(directory, name);
    try {
      const key = decodeKey(readFileSync(path, "utf8"));
      if (key === undefined) problems.push(`${path}: expected base64 of ${KEY_BYTES} bytes`);
      else keys.set(name, key);
    } catch (error) {
      problems.push(`${path}: cannot be read (${errorCode(error)})`);
    }
  }
  if (!names.includes(activeKeyId)) {
    problems.push(`${directory}: holds no key "${activeKeyId}"; it has ${names.join(", ") || "none"}`);
  }
  if (problems.length > 0) throw new KeyringError(problems);
  return { activeKeyId, keys };
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error";
}
