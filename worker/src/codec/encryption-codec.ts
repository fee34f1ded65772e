import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { ValueError } from "@temporalio/common";
import type { Payload, PayloadCodec } from "@temporalio/common";
import { temporal } from "@temporalio/proto";
import type { Keyring } from "./keyring";

const ENCODING = "binary/encrypted";
const KEY_ID = "encryption-key-id";
/** NIST SP 800-38D: 96 bits for a random nonce, 128 bits for the tag. */
const IV_BYTES = 12;
const TAG_BYTES = 16;

const text = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString("utf8");

/**
 * Encrypts payloads with AES-256-GCM, in the wire format of Temporal's samples for all languages:
 * `iv (12 bytes) | ciphertext | tag (16 bytes)` over the whole payload, the key's id in the metadata.
 *
 * Reads every key of the ring, writes with the active one; payloads that are not encrypted pass through, so that
 * encryption can be switched on in a namespace that has history.
 */
export class EncryptionCodec implements PayloadCodec {
  constructor(private readonly keyring: Keyring) {}

  async encode(payloads: Payload[]): Promise<Payload[]> {
    const { activeKeyId } = this.keyring;
    const key = this.key(activeKeyId);
    return payloads.map((payload) => {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES });
      const plaintext = temporal.api.common.v1.Payload.encode(payload).finish();
      return {
        metadata: { encoding: Buffer.from(ENCODING), [KEY_ID]: Buffer.from(activeKeyId) },
        data: Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]),
      };
    });
  }

  /** @throws ValueError for an unknown key id, which it names, and for a payload that was tampered with */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) =>
      text(payload.metadata?.["encoding"]) === ENCODING ? this.decrypt(payload) : payload,
    );
  }

  private decrypt(payload: Payload): Payload {
    const keyId = text(payload.metadata?.[KEY_ID]);
    const key = this.key(keyId);
    const data = payload.data ?? new Uint8Array();
    if (data.length < IV_BYTES + TAG_BYTES) {
      throw new ValueError(`payload encrypted with key "${keyId}": too short to be one`);
    }
    const decipher = createDecipheriv("aes-256-gcm", key, data.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(data.subarray(-TAG_BYTES));
    let plaintext: Buffer;
    try {
      plaintext = Buffer.concat([decipher.update(data.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch (cause) {
      throw new ValueError(
        `payload encrypted with key "${keyId}": cannot be decrypted; it was altered, or the key's value was`,
        cause,
      );
    }
    return temporal.api.common.v1.Payload.decode(plaintext);
  }

  private key(keyId: string): Buffer {
    const key = this.keyring.keys.get(keyId);
    if (key === undefined) {
      throw new ValueError(
        `unknown encryption key id "${keyId}"; the keyring has ${[...this.keyring.keys.keys()].join(", ")}`,
      );
    }
    return key;
  }
}
