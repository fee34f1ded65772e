import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { parseSettings } from "../../settings/settings";
import type { Values } from "../harness";
import { LEAST, refusal, source } from "../components/refusal";

const key = (): string => randomBytes(32).toString("base64");

/** Settings of which the values of the keys at these places are encrypted. */
function given(payloadEncryption: Values, ...places: readonly (readonly [string, number])[]) {
  return [
    { ...LEAST, payloadEncryption },
    {
      secretKeys: places.length === 0 ? [] : ["temporal-stack:payloadEncryption"],
      encrypted: places.map(([list, index]) => ["payloadEncryption", list, index, "value"]),
    },
  ] as const;
}

describe("payload keys in the settings", () => {
  it("are generated, brought by value or brought by the name of a Secret", () => {
    const value = key();
    const { payloadEncryption } = parseSettings(
      source(
        ...given(
          {
            keys: ["key-1", { id: "key-2", value }, { id: "key-3", secret: "payload-keys" }],
            activeKey: "key-2",
            retiredKeys: [{ id: "key-0", secret: "payload-keys", key: "old" }],
          },
          ["keys", 1],
        ),
      ),
    );
    const [first, second, third] = payloadEncryption.keys;
    assert.deepEqual(first, { id: "key-1" });
    assert.equal(second?.id, "key-2");
    assert.ok(second.value?.ask((text) => text === value));
    assert.ok(!JSON.stringify(payloadEncryption).includes(value));
    assert.deepEqual(third, { id: "key-3", existing: { secret: "payload-keys", key: "key-3" } });
    assert.deepEqual(payloadEncryption.retiredKeys, [
      { id: "key-0", existing: { secret: "payload-keys", key: "old" } },
    ]);
  });

  it("are refused in the clear", () => {
    const value = key();
    const message = refusal(...given({ keys: [{ id: "key-1", value }] }));
    assert.match(message, /payloadEncryption\.keys\[0\]\.value .*must be a secret/);
    assert.ok(!message.includes(value));
  });

  const wrong: Readonly<Record<string, string>> = {
    "16 bytes": randomBytes(16).toString("base64"),
    "33 bytes": randomBytes(33).toString("base64"),
    hexadecimal: randomBytes(32).toString("hex"),
    "base64 of URLs": `${"-_".repeat(21)}A=`,
    "a line break": `${key()}\n`,
    "no padding": key().slice(0, -1),
    "bits behind the last byte": `${"A".repeat(42)}B=`,
    nothing: "",
  };
  for (const [what, value] of Object.entries(wrong)) {
    it(`are refused as ${what}, and not shown`, () => {
      const message = refusal(...given({ keys: [{ id: "key-1", value }] }, ["keys", 0]));
      assert.match(message, /payloadEncryption\.keys\[0\]\.value .*base64 of 32 random bytes/);
      assert.ok(value === "" || !message.includes(value.trim()));
    });
  }

  it("are refused where an id is expected, and not shown", () => {
    const value = key();
    const message = refusal({ ...LEAST, payloadEncryption: { keys: [value] } });
    assert.match(message, /payloadEncryption\.keys\[0\] .*must be a key id.*not shown/);
    assert.ok(!message.includes(value));
  });

  const rules: readonly (readonly [string, Values, RegExp])[] = [
    ["two sources", { id: "key-1", value: key(), secret: "keys" }, /keys\[0\]\.secret .*together with value/],
    ["an entry of no Secret", { id: "key-1", key: "a" }, /keys\[0\]\.key .*of no Secret/],
    [
      "the stack's own Secret",
      { id: "key-1", secret: "temporal-payload-keyring" },
      /keys\[0\]\.secret .*Secret that this stack makes/,
    ],
    ["an unknown key", { id: "key-1", vaule: "x" }, /keys\[0\]\.vaule .*did you mean "value"/],
    ["no id", { secret: "keys" }, /keys\[0\]\.id .*is missing/],
    ["an id with capitals", { id: "Key" }, /keys\[0\]\.id .*must be a key id/],
  ];
  for (const [what, entry, expected] of rules) {
    it(`are refused with ${what}`, () => {
      assert.match(refusal(...given({ keys: [entry] }, ["keys", 0])), expected);
    });
  }

  it("are refused twice: by id, whatever their source, and by value", () => {
    const value = key();
    assert.match(
      refusal(...given({ keys: ["key-1", { id: "key-1", secret: "keys" }] })),
      /keys\[1\] .*stands in the list twice/,
    );
    assert.match(
      refusal(...given({ keys: ["key-1"], retiredKeys: [{ id: "key-1", value }] }, ["retiredKeys", 0])),
      /retiredKeys\[0\] .*among payloadEncryption\.keys, too/,
    );
    const same = refusal(
      ...given(
        {
          keys: [
            { id: "key-1", value },
            { id: "key-2", value },
          ],
        },
        ["keys", 0],
        ["keys", 1],
      ),
    );
    assert.match(same, /^1 problem/);
    assert.match(same, /keys\[1\]\.value .*is the same key as that of "key-1"/);
    assert.ok(!same.includes(value));
  });

  it("cannot be forgotten while they are there", () => {
    assert.match(
      refusal(...given({ keys: ["key-1"], forgottenKeys: ["key-1"] })),
      /forgottenKeys\[0\] .*still among the keys/,
    );
  });

  it("are taken as they are where nobody can open them", () => {
    const secret = "\u0000encrypted";
    const entries = [
      { id: "key-1", value: secret },
      { id: "key-2", value: secret },
    ];
    const { keys } = parseSettings(
      source(...given({ keys: entries }, ["keys", 0], ["keys", 1])),
    ).payloadEncryption;
    assert.deepEqual(
      keys.map(({ id }) => id),
      ["key-1", "key-2"],
    );
  });
});
