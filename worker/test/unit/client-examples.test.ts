import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultPayloadConverter, type Payload } from "@temporalio/common";
import { temporal } from "@temporalio/proto";
import { EncryptionCodec } from "../../src/codec/encryption-codec";
import { KeyringCodec } from "../examples/client";

const { Payload: PayloadMessage } = temporal.api.common.v1;
const EXAMPLES = join(__dirname, "../examples");
const KEY = randomBytes(32);
const WORKFLOW = { type: "workflow", namespace: "orders", workflowId: "order-1" } as const;
const workers = new EncryptionCodec({ activeKeyId: "key-1", keys: new Map([["key-1", KEY]]) });
const payloads = (): Payload[] => [defaultPayloadConverter.toPayload({ card: "4711" })];
const values = (decoded: readonly Payload[]): unknown[] =>
  decoded.map((payload) => defaultPayloadConverter.fromPayload(payload));

describe("examples of clients", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-client-"));
  before(() => writeFileSync(join(folder, "key-1"), KEY.toString("base64")));
  after(() => rmSync(folder, { recursive: true }));

  describe("client.ts", () => {
    it("reads what workers write, and writes what they read", async () => {
      const codec = KeyringCodec.from(folder, "key-1");
      const written = await codec.encode(payloads());
      assert.ok(!Buffer.from(written[0]?.data ?? []).includes("4711"));
      assert.deepEqual(values(await workers.decode(written, WORKFLOW)), [{ card: "4711" }]);
      for (const context of [undefined, WORKFLOW]) {
        const read = await codec.decode(await workers.encode(payloads(), context));
        assert.deepEqual(values(read), [{ card: "4711" }]);
      }
      assert.deepEqual(await codec.decode(payloads()), payloads());
    });

    it("refuses what was altered, and a key that it does not have", async () => {
      const codec = KeyringCodec.from(folder, "key-1");
      const [bound] = await workers.encode(payloads(), WORKFLOW);
      assert.ok(bound?.metadata);
      const moved = { ...bound, metadata: { ...bound.metadata, "encryption-workflow-id": Buffer.from("x") } };
      await assert.rejects(codec.decode([moved]));
      await assert.rejects(new KeyringCodec(new Map(), "key-1").encode(payloads()), /no payload key "key-1"/);
    });
  });

  describe("client.py", () => {
    const python = process.env["CLIENT_EXAMPLES_PYTHON"] ?? "python3";
    const runs = (code: string): boolean => spawnSync(python, ["-c", code]).status === 0;

    it("is Python", function () {
      if (!runs("pass")) skip(this, `client.py was NOT CHECKED: there is no ${python}`);
      const check = "import ast, sys; ast.parse(open(sys.argv[1]).read())";
      execFileSync(python, ["-c", check, join(EXAMPLES, "client.py")]);
    });

    it("reads what workers write, and writes what they read", async function () {
      if (!runs("import temporalio.client, cryptography")) {
        skip(
          this,
          "client.py was NOT RUN: pip install temporalio cryptography, and name that Python in CLIENT_EXAMPLES_PYTHON",
        );
      }
      const exchange = `
import asyncio, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from client import KeyringCodec, Payload
codec = KeyringCodec.from_folder(sys.argv[2], "key-1")
[opened] = asyncio.run(codec.decode([Payload.FromString(bytes.fromhex(sys.argv[3]))]))
[sealed] = asyncio.run(codec.encode([opened]))
print(sealed.SerializeToString().hex())
`;
      for (const context of [undefined, WORKFLOW]) {
        const [payload] = await workers.encode(payloads(), context);
        assert.ok(payload);
        const sent = Buffer.from(PayloadMessage.encode(payload).finish()).toString("hex");
        const answer = execFileSync(python, ["-c", exchange, EXAMPLES, folder, sent], { encoding: "utf8" });
        const sealed = PayloadMessage.decode(Buffer.from(answer.trim(), "hex"));
        assert.deepEqual(values(await workers.decode([sealed], WORKFLOW)), [{ card: "4711" }]);
      }
    }).timeout(60_000);
  });

  describe("client.go", () => {
    it("is Go; its types are NOT CHECKED and it is NOT RUN here", function () {
      const { status, stdout, error } = spawnSync("gofmt", ["-l", "-e", join(EXAMPLES, "client.go")], {
        encoding: "utf8",
      });
      if (error !== undefined) skip(this, "client.go was NOT CHECKED: there is no gofmt");
      assert.deepEqual([status, stdout], [0, ""]);
    });
  });
});

/** A check that is left out says so where everybody looks. */
function skip(context: Mocha.Context, message: string): never {
  console.warn(`      ${message}`);
  return context.skip();
}
