import assert from "node:assert/strict";
import { configOf, documentOf, parseAsEngine } from "../../settings/engineYaml";
import { isMapping } from "../../settings/mapping";

describe("YAML as the engine reads it", () => {
  const parse = (text: string): unknown => parseAsEngine(text, "Pulumi.dev.yaml");
  // What gopkg.in/yaml.v3 and the engine's `config.Value` make of each text.
  const cases: readonly [text: string, value: unknown][] = [
    ["010", 8],
    ["0o10", 8],
    ["0x1F", 31],
    ["08", 8],
    ["1_000", 1000],
    ["-5", -5],
    ["1e3", 1000],
    [".5", 0.5],
    ['"010"', "010"],
    ["!!str 010", "010"],
    ["yes", "yes"],
    ["off", "off"],
    ["True", true],
    ["~", null],
    ["Null", null],
    ["Nope", "Nope"],
    ["12:30:00", "12:30:00"],
    ["1.31.2", "1.31.2"],
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["2027-05-31", "2027-05-31 00:00:00 +0000 UTC"],
    ["2027-01-31T12:00:00.500Z", "2027-01-31 12:00:00.5 +0000 UTC"],
    ["2027-01-31T12:00:00+02:00", "2027-01-31 12:00:00 +0200 +0200"],
    ["2027-13-31", "2027-13-31"],
  ];
  for (const [text, value] of cases) {
    it(`takes ${text}`, () => assert.deepEqual(parse(`key: ${text}`), { key: value }));
  }

  it("merges keys, with those beside them on top", () => {
    assert.deepEqual(parse("a: &a { x: 1, y: 2 }\nb: { <<: *a, y: 3 }"), {
      a: { x: 1, y: 2 },
      b: { x: 1, y: 3 },
    });
  });

  it("keeps __proto__ as a key like any other", () => {
    const value = parse("__proto__: { enabled: false }");
    assert.ok(isMapping(value));
    assert.deepEqual(Object.keys(value), ["__proto__"]);
  });

  for (const text of ["a: 1\na: 2", "1: a", "true: a", "a: .inf", "a: ["]) {
    it(`refuses ${JSON.stringify(text)}, as the engine does`, () => {
      assert.throws(() => parse(text));
    });
  }

  it("quotes nothing of a file that it cannot read", () => {
    assert.throws(
      () => parse("password: hunter2\npassword: hunter2"),
      ({ message }: Error) => !message.includes("hunter2"),
    );
  });

  it("names file, line and key of a key that stands twice, and every one of them", () => {
    assert.throws(
      () =>
        parse('config:\n  temporal-stack:workers: []\n  a: { b: 1, "b": 2 }\n  temporal-stack:workers: []\n'),
      {
        message: [
          'Pulumi.dev.yaml, line 3: the key "b" stands twice in one mapping; remove one of the two, or merge what is below them',
          'Pulumi.dev.yaml, line 4: the key "temporal-stack:workers" stands twice in one mapping; remove one of the two, or merge what is below them',
        ].join("\n"),
        __pulumiRunError: true,
      },
    );
  });

  it("names file and line of what is no YAML", () => {
    assert.throws(
      () => parse("a: 1\nb: [hunter2\n"),
      /^Error: Pulumi\.dev\.yaml, line \d: is not YAML that Pulumi reads/,
    );
    assert.throws(
      () => parse("1: a"),
      /^Error: Pulumi\.dev\.yaml: the key 1 is no string: put it in quotes$/,
    );
    assert.throws(
      () => documentOf("a: 1\na: 2", "workers/a.yaml"),
      /^Error: workers\/a\.yaml, line 2: the key "a"/,
    );
  });

  it("takes keys without prefix for the project's, and those of an older form", () => {
    const text = "config: { workers: 1, temporal-stack:config:labels: 2, pulumi:tags: 3 }";
    assert.deepEqual(configOf(text, "temporal-stack", "Pulumi.dev.yaml"), {
      "temporal-stack:workers": 1,
      "temporal-stack:labels": 2,
      "pulumi:tags": 3,
    });
    assert.deepEqual(configOf("", "temporal-stack", "Pulumi.dev.yaml"), {});
  });
});
