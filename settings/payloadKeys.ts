import { z } from "zod";
import { ifWrongType, rule, text } from "./fields";
import { objectName, secretKey } from "./names";
import { secretSetting } from "./secretSettings";
import type { Sensitive } from "./sensitive";

/** Name of the Secret; whoever starts workflows or shows their payloads reads the keys there. */
export const KEYRING_SECRET = "temporal-payload-keyring";
/** Bytes of an AES-256 key. */
export const KEY_BYTES = 32;
const MAX_KEYS = 20;

const KEY_ID = 'a key id: lower-case letters, digits and "-", at most 40 characters';

/** Id of a payload key. */
export const keyId = text(KEY_ID, /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 40);

const keyText = z.string().refine(
  (value) => {
    const key = Buffer.from(value, "base64");
    // Node skips what is not base64; encoding again shows whether anything was skipped.
    return key.length === KEY_BYTES && key.toString("base64") === value;
  },
  { error: `base64 of ${String(KEY_BYTES)} random bytes (openssl rand -base64 ${String(KEY_BYTES)})` },
);

/** A key of the keyring, and where its bytes come from; without `value` and `existing` they are generated. */
export interface PayloadKey {
  readonly id: string;
  /** Base64, of the stack file. */
  readonly value?: Sensitive | undefined;
  /** An entry of a Secret that this stack does not make. */
  readonly existing?: { readonly secret: string; readonly key: string } | undefined;
}

const broughtKey = z
  .strictObject(
    {
      id: keyId.describe("Id of the key; an entry that is only a text is the id of a generated key."),
      value: secretSetting(keyText)
        .optional()
        .describe(
          "The key itself, base64 of 32 bytes, instead of a generated one; only as a secret: `npm run keys -- import`, or `pulumi config set --secret --path`.",
        ),
      secret: objectName("the name of a Secret")
        .optional()
        .describe(
          "Secret with the key (base64 of 32 bytes) that exists in the workers' namespace, instead of a generated key.",
        ),
      key: secretKey().optional().describe("Key in that Secret; the id by default."),
    },
    { error: "a key id, or a mapping such as {id: key-1}" },
  )
  .check(({ value: { value, secret, key }, issues }) => {
    if (value !== undefined && secret !== undefined) {
      issues.push(rule("cannot be set together with value; remove one of them", ["secret"]));
    }
    if (key !== undefined && secret === undefined) {
      issues.push(rule("names an entry of no Secret; set secret, or remove it", ["key"]));
    }
    if (secret === KEYRING_SECRET) {
      issues.push(rule("is the Secret that this stack makes; name another one", ["secret"]));
    }
  })
  .transform(({ id, value, secret, key }): PayloadKey => ({
    id,
    ...(value && { value }),
    ...(secret !== undefined && { existing: { secret, key: key ?? id } }),
  }));

const payloadKey = z.preprocess((entry, { issues }) => {
  if (typeof entry !== "string") return entry;
  if (!keyId.safeParse(entry).success) {
    issues.push(rule(`must be ${KEY_ID}; what it is now is not shown, as it may be a key`, [], entry));
    return z.NEVER;
  }
  return { id: entry };
}, broughtKey);

/** A list of keys. */
export const payloadKeys = z
  .array(payloadKey, ifWrongType("a list of key ids"))
  .max(MAX_KEYS, { error: `a list of at most ${String(MAX_KEYS)} key ids` });

/** A list of ids. */
export const keyIds = z
  .array(keyId, ifWrongType("a list of key ids"))
  .max(100, { error: "a list of at most 100 key ids" });
