import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { ValueError } from "@temporalio/common";
import type { Payload, PayloadCodec, SerializationContext } from "@temporalio/common";
import { temporal } from "@temporalio/proto";
import type { Keyring } from "./keyring";

/** That of Temporal's samples in all languages. */
const ENCODING = "binary/encrypted";
/** The same, bound to a workflow: its id is authenticated beside the ciphertext. */
const BOUND_ENCODING = "binary/encrypted-for-workflow";
const KEY_ID = "encryption-key-id";
const WORKFLOW_ID = "encryption-workflow-id";
/** NIST SP 800-38D: 96 bits for a random nonce, 128 bits for the tag. */
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** What a schedule appends to the workflow id that payloads were encrypted for. */
const SCHEDULED_AT = /-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** How payloads are written, and which are read. */
export interface EncryptionPolicy {
  /** Whether payloads are bound to their workflow, so that none can be put into the place of another one's. */
  readonly bindToWorkflow: boolean;
  /** Whether payloads that are not encrypted are refused. */
  readonly requireEncrypted: boolean;
}

export const DEFAULT_POLICY: EncryptionPolicy = { bindToWorkflow: true, requireEncrypted: false };

const text = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString("utf8");

/** Whether a payload is one that this codec wrote. */
export const isEncrypted = ({ metadata }: Payload): boolean =>
  [ENCODING, BOUND_ENCODING].includes(text(metadata?.["encoding"]));

const unscheduled = (workflowId: string): string => workflowId.replace(SCHEDULED_AT, "");

/** Unambiguous: neither the encoding nor a key id, which is a file's name, holds the separator. */
const authenticated = (keyId: string, workflowId: string): Buffer =>
  Buffer.from([BOUND_ENCODING, keyId, workflowId].join("\0"));

/**
 * Encrypts payloads with AES-256-GCM: `iv (12 bytes) | ciphertext | tag (16 bytes)` over the whole payload, the key's
 * id in the metadata. A payload of a workflow is bound to the workflow's id, which stands in the metadata so that a
 * codec server can read it; where nobody knows the workflow, as when the CLI has its input encrypted, it is not.
 *
 * Reads every key of the ring and both encodings, writes with the active key. Unless they are refused, payloads that
 * are not encrypted pass through, so that encryption can be switched on in a namespace that has history.
 */
export class EncryptionCodec implements PayloadCodec {
  constructor(
    private readonly keyring: Keyring,
    private readonly policy: EncryptionPolicy = DEFAULT_POLICY,
  ) {}

  async encode(payloads: Payload[], context?: SerializationContext): Promise<Payload[]> {
    const { activeKeyId } = this.keyring;
    const key = this.key(activeKeyId);
    const workflowId = this.policy.bindToWorkflow ? context?.workflowId : undefined;
    return payloads.map((payload) => {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES });
      if (workflowId !== undefined) cipher.setAAD(authenticated(activeKeyId, workflowId));
      const plaintext = temporal.api.common.v1.Payload.encode(payload).finish();
      return {
        metadata: {
          encoding: Buffer.from(workflowId === undefined ? ENCODING : BOUND_ENCODING),
          [KEY_ID]: Buffer.from(activeKeyId),
          ...(workflowId === undefined ? {} : { [WORKFLOW_ID]: Buffer.from(workflowId) }),
        },
        data: Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]),
      };
    });
  }

  /**
   * @param context whose payloads these are; unknown to a codec server, which then reads each payload as what it says
   * it is
   * @throws ValueError for an unknown key id, which it names; for a payload that was tampered with, or belongs to
   * another workflow; for one that is not encrypted, if that is required
   */
  async decode(payloads: Payload[], context?: SerializationContext): Promise<Payload[]> {
    return payloads.map((payload) => {
      switch (text(payload.metadata?.["encoding"])) {
        case ENCODING:
          return this.decrypt(payload, undefined);
        case BOUND_ENCODING: {
          const workflowId = text(payload.metadata?.[WORKFLOW_ID]);
          refuseForeign(workflowId, context?.workflowId);
          return this.decrypt(payload, workflowId);
        }
        default:
          if (!this.policy.requireEncrypted) return payload;
          throw new ValueError("a payload is not encrypted, and CODEC_REQUIRE_ENCRYPTED refuses it");
      }
    });
  }

  private decrypt(payload: Payload, workflowId: string | undefined): Payload {
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
    if (workflowId !== undefined) decipher.setAAD(authenticated(keyId, workflowId));
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

function refuseForeign(owner: string, reader: string | undefined): void {
  if (reader === undefined || unscheduled(owner) === unscheduled(reader)) return;
  throw new ValueError(
    `a payload of workflow ${reader} was encrypted for workflow ${owner}: it was put there`,
  );
}
