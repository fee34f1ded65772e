import assert from "node:assert/strict";
import { compareSync, truncates } from "bcryptjs";
import fc from "fast-check";
import { generateString, type StringRules } from "../../../toolchain/plugins/randomProvider/password";
import type { PropertyMap } from "../../../toolchain/plugins/runtime/properties";
import { type RunningPlugin, startPlugin, VERSIONS } from "./pluginProcess";
import { Provider, revealed, urnOf } from "./providerClient";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
/** Values of PropertyDiff.Kind. */
const UPDATE_REPLACE = 5;

/** What the official provider answered to Create of a password of these inputs, less the generated values. */
const OFFICIAL_PASSWORD_STATE = {
  __meta: '{"schema_version":"3"}',
  id: "none",
  length: 16,
  lower: true,
  minLower: 2,
  minNumeric: 2,
  minSpecial: 2,
  minUpper: 2,
  number: true,
  numeric: true,
  special: true,
  upper: true,
};

function count(text: unknown, pattern: RegExp): number {
  return typeof text === "string" ? (text.match(pattern) ?? []).length : -1;
}

describe("random provider", () => {
  let plugin: RunningPlugin;
  let password: Provider;
  let uuid: Provider;

  before(async () => {
    plugin = await startPlugin("random");
    const provider = (type: string) => new Provider(plugin.address, urnOf(type));
    password = provider("random:index/randomPassword:RandomPassword");
    uuid = provider("random:index/randomUuid:RandomUuid");
  });

  after(async () => {
    for (const provider of [password, uuid]) provider.close();
    await plugin.stop();
  });

  it("gives its version and a schema of what it serves", async () => {
    assert.equal((await password.info()).getVersion(), VERSIONS.random);
    const schema = JSON.stringify(await password.schema());
    assert.match(schema, /"random:index\/randomUuid:RandomUuid"/);
    assert.match(schema, /"result":\{"type":"string","secret":true\}/);
  });

  it("supports previews and wants plain inputs, as the official provider does", async () => {
    const { failures, response } = await password.configure({});
    assert.deepEqual(failures, []);
    assert.equal(response.getSupportspreview(), true);
    assert.equal(response.getAcceptsecrets(), false);
    assert.deepEqual((await password.configure({ seed: "1" })).failures, ["seed"]);
  });

  it("creates the password state that the official provider creates, results secret", async () => {
    const inputs = { length: 16, minLower: 2, minNumeric: 2, minSpecial: 2, minUpper: 2, number: true };
    assert.deepEqual((await password.check(inputs)).inputs, inputs);
    const { id: passwordId, state } = await password.create(inputs);
    const { result, bcryptHash, ...rest } = state;
    assert.equal(passwordId, "none");
    assert.deepEqual(rest, OFFICIAL_PASSWORD_STATE);
    const plain = revealed(result);
    const hash = revealed(bcryptHash);
    assert.ok(typeof plain === "string" && typeof hash === "string");
    assert.equal(plain.length, 16);
    assert.match(hash, /^\$2a\$10\$/);
    assert.ok(compareSync(plain, hash));
    assert.equal((await password.diff(state, inputs)).changes, false);
  });

  it("hashes as the official provider did for a password that it made", () => {
    assert.ok(
      compareSync("Qp7:#8odTqS)5#bS", "$2a$10$HsFvLK4wI7aLBcqPQiJ8DOGYyeymRSM.MNTWUbd/Q3.SykJ/ukpBi"),
    );
  });

  it("obeys every combination of classes, minimums and own special characters", () => {
    const minimum = fc.nat({ max: 5 });
    const rules: fc.Arbitrary<StringRules> = fc
      .record({
        upper: fc.boolean(),
        lower: fc.boolean(),
        numeric: fc.boolean(),
        special: fc.boolean(),
        minUpper: minimum,
        minLower: minimum,
        minNumeric: minimum,
        minSpecial: minimum,
        overrideSpecial: fc.constantFrom("", "_", "-.é"),
        extra: fc.integer({ min: 1, max: 30 }),
      })
      .filter(({ upper, lower, numeric, special }) => upper || lower || numeric || special)
      .map(({ extra, ...rest }) => ({
        ...rest,
        length: rest.minUpper + rest.minLower + rest.minNumeric + rest.minSpecial + extra,
      }));
    fc.assert(
      fc.property(rules, (given) => {
        const text = generateString(given);
        assert.equal(Array.from(text).length, given.length);
        const specials = Array.from(given.overrideSpecial || "!@#$%&*()-_=+[]{}<>:?");
        const counts = {
          upper: count(text, /[A-Z]/g),
          lower: count(text, /[a-z]/g),
          numeric: count(text, /[0-9]/g),
          special: Array.from(text).filter((character) => specials.includes(character)).length,
        };
        assert.equal(counts.upper + counts.lower + counts.numeric + counts.special, given.length);
        const within = (found: number, least: number, enabled: boolean) =>
          enabled ? found >= least : found === least;
        assert.ok(within(counts.upper, given.minUpper, given.upper));
        assert.ok(within(counts.lower, given.minLower, given.lower));
        assert.ok(within(counts.numeric, given.minNumeric, given.numeric));
        assert.ok(within(counts.special, given.minSpecial, given.special));
      }),
    );
  });

  it("refuses wrong inputs, all at once", async () => {
    const wrong: [PropertyMap, RegExp[]][] = [
      [{}, [/^length: required/]],
      [{ length: 0 }, [/^length: expected at least 1, got 0/]],
      [{ length: 3, minLower: 2, minUpper: 2 }, [/^length: expected at least the sum of .* \(4\), got 3/]],
      [{ length: 8, minLower: -1 }, [/^minLower: expected at least 0/]],
      [{ length: 8.5, special: "no" }, [/^length: expected an integer/, /^special: expected true or false/]],
      [{ length: 8, size: 1 }, [/^size: unknown property/]],
      [
        { length: 8, lower: false, upper: false, numeric: false, special: false },
        [/^numeric: expected at least one/],
      ],
      [{ length: 8, number: true, numeric: false }, [/^number: differs from numeric/]],
    ];
    for (const [inputs, expected] of wrong) {
      const { failures } = await password.check(inputs);
      assert.equal(failures.length, expected.length, JSON.stringify({ inputs, failures }));
      expected.forEach((pattern, index) => {
        assert.match(failures[index] ?? "", pattern);
      });
    }
    assert.deepEqual((await password.check({ length: UNKNOWN, minLower: 3 })).failures, []);
  });

  it("replaces a password when an input changes, and only then", async () => {
    const minimums = { minLower: 0, minNumeric: 0, minSpecial: 0, minUpper: 0 };
    const state = { ...OFFICIAL_PASSWORD_STATE, ...minimums, length: 12, keepers: { a: "1" } };
    const changes: [PropertyMap, string[]][] = [
      [{ length: 12, keepers: { a: "1" } }, []],
      [{ length: 12, keepers: { a: "1" }, numeric: true, minUpper: 0, overrideSpecial: "" }, []],
      [{ length: 13, keepers: { a: "1" } }, ["length"]],
      [{ length: 12, keepers: { a: "2" } }, ["keepers"]],
      [{ length: 12 }, ["keepers"]],
      [{ length: 12, keepers: { a: "1" }, special: false }, ["special"]],
      [{ length: 12, keepers: { a: "1" }, numeric: false }, ["number", "numeric"]],
      [{ length: 12, keepers: { a: "1" }, overrideSpecial: "_" }, ["overrideSpecial"]],
    ];
    for (const [inputs, replaces] of changes) {
      const diff = await password.diff(state, inputs);
      assert.deepEqual(diff.replaces, replaces, JSON.stringify(inputs));
      assert.equal(diff.changes, replaces.length > 0);
    }
    assert.equal((await password.diff(state, { length: 13 })).kinds["length"], UPDATE_REPLACE);
  });

  it("previews outputs as unknown", async () => {
    const { state } = await password.create({ length: 12 }, true);
    assert.equal(state["result"], UNKNOWN);
    assert.equal(state["bcryptHash"], UNKNOWN);
  });

  it("imports a password as its own, hashed up to the 72 bytes that bcrypt reads", async () => {
    const long = "hunter2-".repeat(10);
    const imported = await password.read(long);
    assert.equal(imported.id, "none");
    assert.equal(revealed(imported.state["result"]), long);
    const hash = revealed(imported.state["bcryptHash"]);
    assert.ok(typeof hash === "string" && truncates(long) && compareSync(long.slice(0, 72), hash));
    assert.equal((await password.diff(imported.state, imported.inputs)).changes, false);
  });

  it("makes UUIDs that are not secret and are their own id, and imports them", async () => {
    const { id: uuidId, state } = await uuid.create({});
    assert.match(uuidId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.deepEqual(state, { id: uuidId, result: uuidId });
    assert.notEqual((await uuid.create({})).id, uuidId);
    assert.equal((await uuid.create({}, true)).state["result"], UNKNOWN);
    assert.deepEqual((await uuid.diff(state, { keepers: { team: "a" } })).replaces, ["keepers"]);
    const imported = await uuid.read(uuidId.toUpperCase());
    assert.deepEqual(imported.state, state);
    assert.equal((await uuid.diff(imported.state, {})).changes, false);
    await assert.rejects(uuid.read("no uuid"), /expected a UUID/);
  });

  it("names a resource type that only the official plugin has", async () => {
    const pet = new Provider(plugin.address, urnOf("random:index/randomPet:RandomPet"));
    await assert.rejects(
      pet.create({}),
      /random:index\/randomPet:RandomPet .*pulumi plugin install resource random v4\.21\.2/,
    );
    pet.close();
  });
});
