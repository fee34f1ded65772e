import assert from "node:assert/strict";
import { randomBytes, webcrypto } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApplicationFailure, defaultPayloadConverter, ValueError } from "@temporalio/common";
import type { Payload } from "@temporalio/common";
import { temporal } from "@temporalio/proto";
import fc from "fast-check";
import { createDataConverter } from "../../src/codec/data-converter";
import { EncryptionCodec } from "../../src/codec/encryption-codec";
import { failureConverter } from "../../src/codec/failure-converter";
import { KEY_BYTES, KeyringError, loadKeyring } from "../../src/codec/keyring";
import type { Keyring } from "../../src/codec/keyring";

const keys = new Map(["k1", "k2", "k3"].map((id) => [id, randomBytes(KEY_BYTES)]));
const ring = (activeKeyId: string, ...others: string[]): Keyring => ({
  activeKeyId,
  keys: new Map([activeKeyId, ...others].map((id) => [id, keys.get(id) ?? randomBytes(KEY_BYTES)])),
});

const payloads: fc.Arbitrary<Payload[]> = fc.array(
  fc.record({
    metadata: fc.dictionary(
      fc.string({ minLength: 1 }).filter((name) => name !== "__proto__"),
      fc.uint8Array(),
    ),
    data: fc.uint8Array({ maxLength: 2000 }),
  }),
  { maxLength: 4 },
);

/** Protobuf gives Buffers back and leaves empty fields out. */
const plain = (all: Payload[]) =>
  all.map(({ metadata, data }) => ({
    metadata: Object.fromEntries(
      Object.entries(metadata ?? {}).map(([k, v]) => [k, Buffer.from(v).toString("hex")]),
    ),
    data: Buffer.from(data ?? []).toString("hex"),
  }));

describe("encryption codec", () => {
  it("gives back what it was given", () =>
    fc.assert(
      fc.asyncProperty(payloads, async (original) => {
        const codec = new EncryptionCodec(ring("k1"));
        assert.deepEqual(plain(await codec.decode(await codec.encode(original))), plain(original));
      }),
    ));

  it("hides content and metadata, and never encrypts twice alike", async () => {
    const codec = new EncryptionCodec(ring("k1"));
    const secret = {
      metadata: { encoding: Buffer.from("json/plain") },
      data: Buffer.from("4111-1111-1111-1111"),
    };
    const [first, second] = await codec.encode([secret, secret]);
    assert.ok(first?.data && second?.data);
    assert.notDeepEqual(first.data, second.data);
    assert.ok(!Buffer.from(first.data).includes("4111") && !Buffer.from(first.data).includes("json/plain"));
    assert.equal(Buffer.from(first.metadata?.["encoding"] ?? []).toString(), "binary/encrypted");
    assert.equal(Buffer.from(first.metadata?.["encryption-key-id"] ?? []).toString(), "k1");
  });

  it("has the wire format that other implementations read and write", async () => {
    const secret = { metadata: { encoding: Buffer.from("json/plain") }, data: Buffer.from('"TEAPOT"') };
    const raw = keys.get("k1") ?? Buffer.alloc(0);
    const key = await webcrypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
    const { Payload } = temporal.api.common.v1;

    const [sealed] = await new EncryptionCodec(ring("k1")).encode([secret]);
    const data = Buffer.from(sealed?.data ?? []);
    const opened = await webcrypto.subtle.decrypt(
      { name: "AES-GCM", iv: data.subarray(0, 12), tagLength: 128 },
      key,
      data.subarray(12),
    );
    assert.deepEqual(plain([Payload.decode(new Uint8Array(opened))]), plain([secret]));

    const iv = randomBytes(12);
    const foreign = await webcrypto.subtle.encrypt(
      { name: "AES-GCM", iv },
      key,
      Payload.encode(secret).finish(),
    );
    const metadata = { encoding: Buffer.from("binary/encrypted"), "encryption-key-id": Buffer.from("k1") };
    const payload = { metadata, data: Buffer.concat([iv, Buffer.from(foreign)]) };
    assert.deepEqual(plain(await new EncryptionCodec(ring("k1")).decode([payload])), plain([secret]));
  });

  it("refuses a payload of which any byte was changed, or whose end or beginning is missing", async () => {
    const codec = new EncryptionCodec(ring("k1", "k2"));
    const [sealed] = await codec.encode([{ metadata: {}, data: Buffer.from("4111-1111-1111-1111") }]);
    assert.ok(sealed?.data);
    const refused = (changes: Payload) =>
      assert.rejects(
        codec.decode([{ ...sealed, ...changes }]),
        /key "k[12]": (cannot be decrypted|too short)/,
      );
    for (let position = 0; position < sealed.data.length; position++) {
      const data = Buffer.from(sealed.data);
      data.writeUInt8(data.readUInt8(position) ^ (1 << (position % 8)), position);
      await refused({ data });
      await refused({ data: sealed.data.subarray(0, position) });
      await refused({ data: sealed.data.subarray(position + 1) });
    }
    await refused({ metadata: { ...sealed.metadata, "encryption-key-id": Buffer.from("k2") } });
  });

  it("refuses what is too short to be encrypted", async () => {
    const codec = new EncryptionCodec(ring("k1"));
    const [sealed] = await codec.encode([{ metadata: {}, data: Buffer.from("x") }]);
    await assert.rejects(codec.decode([{ ...sealed, data: Buffer.alloc(27) }]), /too short/);
  });

  it("stays readable through a key rotation in two rolling updates", () =>
    fc.assert(
      fc.asyncProperty(payloads, async (original) => {
        const fleet = [ring("k1"), ring("k1", "k2"), ring("k2", "k1")].map(
          (keyring) => new EncryptionCodec(keyring),
        );
        for (const [index, writer] of fleet.entries()) {
          for (const reader of fleet.slice(Math.max(0, index - 1), index + 2)) {
            assert.deepEqual(plain(await reader.decode(await writer.encode(original))), plain(original));
          }
        }
      }),
      { numRuns: 25 },
    ));

  it("names the key that it does not have", async () => {
    const sealed = await new EncryptionCodec(ring("k3")).encode([{ metadata: {}, data: Buffer.from("x") }]);
    await assert.rejects(new EncryptionCodec(ring("k1", "k2")).decode(sealed), (error) => {
      assert.ok(error instanceof ValueError);
      assert.match(error.message, /unknown encryption key id "k3"; the keyring has k1, k2/);
      return true;
    });
  });

  it("lets unencrypted payloads pass", async () => {
    const clear = [{ metadata: { encoding: Buffer.from("json/plain") }, data: Buffer.from("1") }];
    assert.deepEqual(await new EncryptionCodec(ring("k1")).decode(clear), clear);
  });

  describe("of a workflow's payload", () => {
    const secret: Payload = { metadata: { encoding: Buffer.from("json/plain") }, data: Buffer.from("1") };
    const workflow = (workflowId: string) => ({ type: "workflow", namespace: "shop", workflowId }) as const;
    const sealed = async (workflowId: string, codec = new EncryptionCodec(ring("k1"))): Promise<Payload> => {
      const [payload] = await codec.encode([secret], workflow(workflowId));
      assert.ok(payload);
      return payload;
    };
    const codec = new EncryptionCodec(ring("k1", "k2"));

    it("gives it back to that workflow and its activities, and to who does not know the workflow", async () => {
      const payload = await sealed("order-1");
      const activity = {
        type: "activity",
        namespace: "shop",
        workflowId: "order-1",
        isLocal: false,
      } as const;
      for (const context of [workflow("order-1"), activity, undefined]) {
        assert.deepEqual(plain(await codec.decode([payload], context)), plain([secret]));
      }
    });

    it("refuses it in another workflow, also when its metadata says that it belongs there", async () => {
      const payload = await sealed("order-1");
      await assert.rejects(
        codec.decode([payload], workflow("order-2")),
        /a payload of workflow order-2 was encrypted for workflow order-1/,
      );
      const relabelled = {
        ...payload,
        metadata: { ...payload.metadata, "encryption-workflow-id": Buffer.from("order-2") },
      };
      await assert.rejects(codec.decode([relabelled], workflow("order-2")), /cannot be decrypted/);
      await assert.rejects(codec.decode([relabelled]), /cannot be decrypted/);
      const unbound = {
        ...payload,
        metadata: { ...payload.metadata, encoding: Buffer.from("binary/encrypted") },
      };
      await assert.rejects(codec.decode([unbound], workflow("order-2")), /cannot be decrypted/);
    });

    it("takes the workflows of one schedule for one: its payloads are encrypted before they have their ids", async () => {
      const first = "nightly-2026-01-02T03:04:05Z";
      const second = "nightly-2026-01-03T03:04:05Z";
      for (const [writer, reader] of [
        ["nightly", first],
        [first, second],
      ] as const) {
        const payload = await sealed(writer);
        assert.deepEqual(plain(await codec.decode([payload], workflow(reader))), plain([secret]));
      }
      await assert.rejects(
        codec.decode([await sealed("nightly")], workflow("nightly-2")),
        /for workflow nightly:/,
      );
    });

    it("reads what was written without a workflow, and writes so if asked to", async () => {
      const plainCodec = new EncryptionCodec(ring("k1"), { bindToWorkflow: false, requireEncrypted: false });
      const payload = await sealed("order-1", plainCodec);
      assert.equal(Buffer.from(payload.metadata?.["encoding"] ?? []).toString(), "binary/encrypted");
      assert.deepEqual(plain(await codec.decode([payload], workflow("order-2"))), plain([secret]));
    });
  });

  it("refuses unencrypted payloads if told to, and nothing else", async () => {
    const strict = new EncryptionCodec(ring("k1"), { bindToWorkflow: true, requireEncrypted: true });
    const clear = { metadata: { encoding: Buffer.from("json/plain") }, data: Buffer.from("1") };
    const sealedPayloads = await strict.encode([clear]);
    assert.deepEqual(plain(await strict.decode(sealedPayloads)), plain([clear]));
    for (const payload of [clear, { metadata: {}, data: Buffer.from("1") }, {}]) {
      await assert.rejects(strict.decode([...sealedPayloads, payload]), /CODEC_REQUIRE_ENCRYPTED refuses it/);
    }
  });

  it("is part of the data converter together with encoded failures", () => {
    assert.equal(createDataConverter(ring("k1")).payloadCodecs?.length, 1);
    assert.equal(createDataConverter(undefined).payloadCodecs?.length, 0);
    assert.equal(failureConverter.options.encodeCommonAttributes, true);
  });

  it("leaves the types of failures outside, and no message of any of them", () => {
    const error = ApplicationFailure.create({
      type: "CardDeclined",
      message: "hidden",
      cause: new TypeError("hidden as well"),
    });
    const failure = failureConverter.errorToFailure(error, defaultPayloadConverter);
    assert.equal(failure.message, "CardDeclined (its message is encrypted)");
    assert.equal(failure.cause?.message, "error (its message is encrypted)");
    const inClear = JSON.stringify({
      ...failure,
      encodedAttributes: 0,
      cause: { ...failure.cause, encodedAttributes: 0 },
    });
    assert.ok(!inClear.includes("hidden"), inClear);
    const back = failureConverter.failureToError(failure, defaultPayloadConverter);
    assert.equal(back.message, "hidden");
    assert.equal(back.cause instanceof Error && back.cause.message, "hidden as well");
  });
});

describe("keyring", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "keyring-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const write = (name: string, content: string) => writeFileSync(join(folder, name), content);
  const problems = (activeKeyId: string): readonly string[] => {
    try {
      loadKeyring(folder, activeKeyId);
    } catch (error) {
      assert.ok(error instanceof KeyringError);
      return error.problems;
    }
    return [];
  };

  it("reads one key per file and skips the kubelet’s own entries", () => {
    write("k1", `${randomBytes(KEY_BYTES).toString("base64")}\n`);
    write("k2", randomBytes(KEY_BYTES).toString("base64"));
    mkdirSync(join(folder, "..2026_01_01"));
    write("..data", "not a key");
    assert.deepEqual([...loadKeyring(folder, "k2").keys.keys()], ["k1", "k2"]);
  });

  it("names every file that is no key, and no content", () => {
    const short = randomBytes(31).toString("base64");
    write("short", short);
    write("noise", `!!${randomBytes(KEY_BYTES).toString("base64")}`);
    mkdirSync(join(folder, "folder"));
    const found = problems("absent");
    assert.deepEqual(
      ["folder", "noise", "short", "absent"].map(
        (name) => found.filter((line) => line.includes(name)).length > 0,
      ),
      [true, true, true, true],
    );
    assert.equal(found.length, 4);
    assert.ok(!found.join().includes(short));
  });

  it("names a directory that is not there", () => {
    rmSync(folder, { recursive: true });
    assert.deepEqual(problems("k1"), [`${folder}: cannot be read (ENOENT)`]);
  });
});
