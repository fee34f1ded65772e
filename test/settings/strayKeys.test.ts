import assert from "node:assert/strict";
import { parseSettings } from "../../settings/settings";
import type { Values } from "../harness";
import { LEAST, refusal, source } from "../components/refusal";
import { chartRefusal, chartSettings } from "../components/samples";

/** Settings from texts, as JSON.parse keeps keys that a literal does not. */
const parsed = (json: string): Values => JSON.parse(json) as Values;

describe("keys that would hide a setting", () => {
  const overlay = (settings: string) => ({
    overlay: { file: "/state/machine.yaml", text: `stack: dev\nsettings: ${settings}\n` },
  });

  it("are refused in the stack file, at any depth", () => {
    const cases: readonly [json: string, key: string][] = [
      ['{"payloadEncryption": {"__proto__": {"enabled": false}}}', "payloadEncryption.__proto__"],
      ['{"labels": {"__proto__": "a"}}', "labels.__proto__"],
      [
        '{"workers": [{"name": "a", "taskQueues": ["a"], "env": {"__proto__": "a"}}]}',
        "workers[0].env.__proto__",
      ],
      ['{"__proto__": {"enabled": false}}', "__proto__"],
    ];
    for (const [json, key] of cases) {
      const message = refusal(
        Object.fromEntries([...Object.entries(LEAST), ...Object.entries(parsed(json))]),
      );
      assert.ok(message.includes(`- temporal-stack:${key} (Pulumi.dev.yaml): is no key that`), message);
    }
  });

  it("are refused in the machine's overlay, where they switched encryption off", () => {
    for (const settings of [
      "{ payloadEncryption: { __proto__: { enabled: false } } }",
      "{ __proto__: { payloadEncryption: { enabled: false } } }",
    ]) {
      assert.match(
        refusal({ ...LEAST, payloadEncryption: {} }, overlay(settings)),
        /__proto__ \(\/state\/machine\.yaml\): is no key that/,
      );
    }
  });
});

describe("keys with another prefix", () => {
  const withKey = (key: string) => ({ ...source(LEAST), config: { ...source(LEAST).config, [key]: "1" } });
  const refusalOf = (key: string): string => {
    try {
      parseSettings(withKey(key));
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error(`${key} was accepted`);
  };

  for (const key of [
    "temporal-stak:deletionProtection",
    "temporal_stack:labels",
    "TemporalStack:wrokers",
    "temporal-stacks:unheard-of",
    "temporal:workers",
  ]) {
    it(`are refused if they are meant for this project: ${key}`, () => {
      assert.match(refusalOf(key), new RegExp(`- ${key} .*not to this one; did you mean "temporal-stack:`));
    });
  }

  it("are left alone if they are for the engine, a provider or another project", () => {
    for (const key of ["pulumi:autonaming", "kubernetes:kubeconfig", "aws:region", "other-project:key"]) {
      parseSettings(withKey(key));
    }
  });
});

describe("namespaces of Kubernetes itself", () => {
  for (const name of ["default", "kube-system", "kube-public", "kube-anything"]) {
    it(`are never the stack's: ${name}`, () => {
      const pattern = new RegExp(`"${name}" belongs to Kubernetes itself`);
      for (const role of ["temporal", "workers"]) {
        assert.match(refusal({ ...LEAST, namespaces: { [role]: name } }), pattern);
      }
      assert.match(chartRefusal({}, { operator: { namespace: name } }), pattern);
    });
  }

  it("may hold an operator that others installed", () => {
    const { cluster } = chartSettings({}, { operator: { install: false, namespace: "kube-system" } });
    assert.equal(cluster.operator.namespace, "kube-system");
  });
});
