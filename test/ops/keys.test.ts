import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { parse } from "yaml";
import { decrypted, encrypted, identitiesOf, recipientsOf } from "../../ops/keys/age";
import { writeOutput } from "../../ops/keys/files";
import { importPlan, withEntries } from "../../ops/keys/importKeys";
import type { ExportedKey, KeySettings } from "../../ops/keys/stackKeys";
import { Sensitive } from "../../settings/sensitive";

const KEY = Buffer.alloc(32, 1).toString("base64");
const OTHER = Buffer.alloc(32, 2).toString("base64");

const exported = (id: string, value = KEY, retired = false): ExportedKey => ({ id, value, retired });
const settings = (changes: Partial<KeySettings> = {}): KeySettings => ({
  keys: [{ id: "key-1" }],
  retiredKeys: [],
  activeKey: "key-1",
  ...changes,
});

describe("an import of payload keys", () => {
  it("writes a key whose state is lost in its place, and those that the settings do not know behind them", () => {
    const { entries, notes, problems } = importPlan(settings(), new Map(), [
      exported("key-1"),
      exported("key-2", OTHER),
      exported("key-0", OTHER, true),
    ]);
    assert.deepEqual(entries, [
      { list: "keys", index: 0, id: "key-1", value: KEY },
      { list: "keys", index: 1, id: "key-2", value: OTHER },
      { list: "retiredKeys", index: 0, id: "key-0", value: OTHER },
    ]);
    assert.deepEqual([notes, problems], [[], []]);
  });

  it("writes nothing that the state or the settings have already", () => {
    const brought = { id: "key-2", value: new Sensitive(OTHER) };
    const plan = importPlan(settings({ keys: [{ id: "key-1" }, brought] }), new Map([["key-1", KEY]]), [
      exported("key-1"),
      exported("key-2", OTHER),
    ]);
    assert.deepEqual(plan.entries, []);
    assert.match(plan.notes.join("\n"), /key-1 is there already\nkey key-2 is there already/);
  });

  it("is refused where the stack has another key of an id", () => {
    const generated = new Map([["key-1", OTHER]]);
    assert.match(
      importPlan(settings(), generated, [exported("key-1")]).problems.join(),
      /another key under id key-1/,
    );
    const brought = settings({ keys: [{ id: "key-1", value: new Sensitive(OTHER) }] });
    const { problems } = importPlan(brought, new Map(), [exported("key-1")]);
    assert.equal(problems.length, 1);
    assert.ok(![KEY, OTHER].some((key) => problems.join().includes(key)));
  });

  it("leaves a key alone that is in a Secret of the user's own", () => {
    const keys = [{ id: "key-1", existing: { secret: "keys", key: "a" } }];
    const { entries, notes } = importPlan(settings({ keys }), new Map(), [exported("key-1")]);
    assert.deepEqual(entries, []);
    assert.match(notes.join(), /comes from Secret keys/);
  });

  it("names a key that would be generated anew", () => {
    const keys = [{ id: "key-1" }, { id: "key-2" }];
    const { notes } = importPlan(settings({ keys }), new Map(), [exported("key-1")]);
    assert.match(notes.join(), /key-2 is neither in the export nor in the state/);
  });

  const entry = { list: "keys", index: 0, id: "key-1", value: KEY } as const;

  it("changes the entries of a stack file and nothing else", () => {
    const text = [
      "config:",
      "  temporal-stack:payloadEncryption:",
      "    # ours",
      "    keys: [key-1, key-2]",
      "    activeKey: key-2",
      "",
    ].join("\n");
    const keys = [{ id: "key-1" }, { id: "key-2" }];
    const changed = withEntries(text, settings({ keys }), [entry]);
    assert.ok(!changed.includes(KEY));
    assert.ok(changed.includes("# ours"));
    assert.deepEqual(parse(changed), {
      config: {
        "temporal-stack:payloadEncryption": { keys: [{ id: "key-1" }, "key-2"], activeKey: "key-2" },
      },
    });
  });

  it("writes the whole list where the file relies on the default", () => {
    const second = { ...entry, index: 1, id: "key-2" };
    assert.deepEqual(parse(withEntries("config:\n  other:key: 1\n", settings(), [second])), {
      config: { "other:key": 1, "temporal-stack:payloadEncryption": { keys: ["key-1", { id: "key-2" }] } },
    });
  });
});

describe("an export of payload keys", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-test-"));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  let identity: string;
  let recipient: string;

  before(async () => {
    identity = await generateX25519Identity();
    recipient = await identityToRecipient(identity);
  });

  after(() => rmSync(folder, { recursive: true }));

  it("is opened by the private key of each recipient, and by no other", async () => {
    const other = await generateX25519Identity();
    const named = [recipient, file("recipients", `# backup\n${await identityToRecipient(other)}\n`)];
    const text = await encrypted("the keys", await recipientsOf(named));
    assert.match(text, /^-----BEGIN AGE ENCRYPTED FILE-----\n/);
    assert.ok(!text.includes("the keys"));
    for (const key of [identity, other]) {
      assert.equal(await decrypted(text, identitiesOf(`# created: today\n${key}\n`, "key")), "the keys");
    }
    await assert.rejects(decrypted(text, [await generateX25519Identity()]), /cannot be decrypted/);
    const [first, second, , ...rest] = text.split("\n");
    const cutOff = [first, second, ...rest].join("\n");
    await assert.rejects(decrypted(cutOff, [identity]), /cannot be decrypted/);
  });

  it("refuses a private key in the place of a public one, and the other way round, and shows neither", async () => {
    const swapped = recipientsOf([file("identity", identity)]);
    await assert.rejects(swapped, (error: Error) => {
      assert.match(error.message, /is a private key/);
      return !error.message.includes(identity);
    });
    assert.throws(() => identitiesOf(recipient, "file"), /no file with private keys/);
    await assert.rejects(recipientsOf([file("junk", "junk")]), /no public key of age/);
    await assert.rejects(recipientsOf([join(folder, "nowhere")]), /cannot be read \(ENOENT\)/);
    await assert.rejects(recipientsOf([file("empty", "# nothing\n")]), /no public key/);
  });

  it("is written to a new file for this user alone", async () => {
    const path = join(folder, "export.age");
    await writeOutput(path, "text");
    assert.equal(readFileSync(path, "utf8"), "text");
    assert.equal(statSync(path).mode & 0o777, 0o600);
    await assert.rejects(writeOutput(path, "other"), /cannot be written \(EEXIST\)/);
    assert.equal(readFileSync(path, "utf8"), "text");
  });
});
