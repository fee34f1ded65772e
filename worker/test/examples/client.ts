import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { METADATA_ENCODING_KEY, type Payload, type PayloadCodec, ValueError } from "@temporalio/common";
import { temporal } from "@temporalio/proto";

const { Payload: PayloadMessage } = temporal.api.common.v1;
const PLAIN_ID = "binary/encrypted";
const BOUND = "binary/encrypted-for-workflow";

/** Writes `binary/encrypted`, and reads that and what workers bind to their workflow. */
export class KeyringCodec implements PayloadCodec {
  constructor(
    private readonly keys: ReadonlyMap<string, Buffer>,
    private readonly active: string,
  ) {}

  /** From a mounted Secret: a file for each key, its id as the name. */
  static from(folder: string, active: string): KeyringCodec {
    const ids = readdirSync(folder).filter((name) => !name.startsWith("."));
    const keys = ids.map(
      (id) => [id, Buffer.from(readFileSync(join(folder, id), "utf8"), "base64")] as const,
    );
    return new KeyringCodec(new Map(keys), active);
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      const iv = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", this.key(this.active), iv);
      const sealed = [cipher.update(PayloadMessage.encode(payload).finish()), cipher.final()];
      return {
        metadata: {
          [METADATA_ENCODING_KEY]: Buffer.from(PLAIN_ID),
          "encryption-key-id": Buffer.from(this.active),
        },
        data: Buffer.concat([iv, ...sealed, cipher.getAuthTag()]),
      };
    });
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      const text = (key: string): string => Buffer.from(payload.metadata?.[key] ?? []).toString();
      const encoding = text(METADATA_ENCODING_KEY);
      if (encoding !== PLAIN_ID && encoding !== BOUND) return payload;
      const id = text("encryption-key-id");
      const data = payload.data ?? new Uint8Array();
      const decipher = createDecipheriv("aes-256-gcm", this.key(id), data.subarray(0, 12));
      decipher.setAuthTag(data.subarray(-16));
      if (encoding === BOUND) {
        decipher.setAAD(Buffer.from([BOUND, id, text("encryption-workflow-id")].join("\0")));
      }
      return PayloadMessage.decode(
        Buffer.concat([decipher.update(data.subarray(12, -16)), decipher.final()]),
      );
    });
  }

  private key(id: string): Buffer {
    const key = this.keys.get(id);
    if (key === undefined) throw new ValueError(`no payload key "${id}"`);
    return key;
  }
}

/** A client by the ConfigMap and the Secret of this stack. */
export async function connect(environment = process.env): Promise<Client> {
  const { TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_TLS, CODEC_ACTIVE_KEY } = environment;
  const connection = await Connection.connect({
    address: TEMPORAL_ADDRESS ?? "localhost:7233",
    tls: TEMPORAL_TLS === "true",
  });
  const codec = KeyringCodec.from("/var/run/temporal-keys", CODEC_ACTIVE_KEY ?? "key-1");
  return new Client({
    connection,
    namespace: TEMPORAL_NAMESPACE ?? "default",
    dataConverter: { payloadCodecs: [codec] },
  });
}
