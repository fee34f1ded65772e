import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { CONFIG_FILE_VARIABLE, encryptedPlaces } from "../../settings/encryptedPlaces";
import { type SettingPath } from "../../settings/secretSettings";
import type { Values } from "../harness";
import { deployStack } from "./stack";

const EXTERNAL: Values = {
  mode: "external",
  address: "temporal.example.com:7233",
  namespace: "orders",
  network: { cidrs: ["192.0.2.0/24"] },
  apiKey: "hunter2",
};

const IMAGE = "registry.example.com/worker";

describe("encrypted settings", () => {
  const refused: readonly [
    title: string,
    changes: Values,
    encrypted: readonly SettingPath[],
    pattern: RegExp,
  ][] = [
    [
      "a variable of a worker",
      { workers: [{ name: "orders", taskQueues: ["orders"], env: { DATABASE_URL: "hunter2" } }] },
      [["workers", 0, "env", "DATABASE_URL"]],
      /temporal-stack:workers\[0\]\.env\.DATABASE_URL \(Pulumi\.local\.yaml\): is encrypted, but ends in plain text/,
    ],
    [
      "a whole section",
      { labels: { owner: "hunter2" } },
      [["labels"]],
      /temporal-stack:labels .*is encrypted, but ends in plain text.*\(.*postgres\.password/,
    ],
    [
      "a value beside one that is kept secret",
      { temporal: EXTERNAL },
      [["temporal", "namespace"]],
      /temporal-stack:temporal\.namespace .*is encrypted.*settings that stay secret \(.*temporal\.apiKey\)/,
    ],
    [
      "dynamic configuration of the server",
      {
        temporal: { mode: "chart", dynamicConfig: { "system.secret": "hunter2" } },
        postgres: { mode: "cluster", storage: { size: "1Gi" } },
      },
      [["temporal", "dynamicConfig", "system.secret"]],
      /temporal-stack:temporal\.dynamicConfig\["system\.secret"\] .*is encrypted/,
    ],
    [
      "what holds a secret setting, as a whole",
      { workerImage: { repository: IMAGE, registry: { username: "u", password: "hunter2" } } },
      [["workerImage"]],
      /temporal-stack:workerImage .*is encrypted/,
    ],
  ];
  for (const [title, changes, encrypted, pattern] of refused) {
    it(`are refused by name: ${title}`, async () => {
      const sections: Values = Object.fromEntries(
        Object.entries(changes).map(([key, value]) => [`temporal-stack:${key}`, value]),
      );
      await assert.rejects(deployStack("local", { changes: sections, encrypted }), ({ message }: Error) => {
        assert.match(message, pattern);
        assert.ok(!message.includes("hunter2"), message);
        return true;
      });
    });
  }

  it("stay secret where secrets are taken", async () => {
    const { registrations, outputs } = await deployStack("local", {
      changes: { "temporal-stack:temporal": EXTERNAL },
    });
    const holders = registrations.filter(({ inputs }) => JSON.stringify(inputs).includes("hunter2"));
    assert.deepEqual(
      holders.map(({ secretPaths }) => secretPaths),
      [["stringData"]],
    );
    assert.ok(!JSON.stringify(outputs).includes("hunter2"));
  });
});

describe("places of encrypted settings", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-test-"));
  const file = join(folder, "other.yaml");
  const key = "temporal-stack:temporal";
  const given = { stack: "dev", config: { [key]: JSON.stringify(EXTERNAL) }, secretKeys: [key] };
  const placesWith = (written: Values) => {
    writeFileSync(file, stringify({ config: { temporal: written } }));
    return encryptedPlaces(given);
  };
  before(() => {
    process.env[CONFIG_FILE_VARIABLE] = file;
  });
  after(() => {
    Reflect.deleteProperty(process.env, CONFIG_FILE_VARIABLE);
    rmSync(folder, { recursive: true });
  });

  it("are learnt from the stack file", () => {
    assert.deepEqual(placesWith({ ...EXTERNAL, apiKey: { secure: "v1:x" } }), {
      encrypted: [["temporal", "apiKey"]],
      unknownSecrets: [],
    });
  });

  it("are unknown when the file is not the one that the engine read", () => {
    const unknown = { encrypted: [], unknownSecrets: ["temporal"] };
    assert.deepEqual(placesWith({ ...EXTERNAL, namespace: "n", apiKey: { secure: "v1:x" } }), unknown);
    assert.deepEqual(placesWith({ mode: "external", apiKey: { secure: "v1:x" } }), unknown);
    rmSync(file);
    assert.deepEqual(encryptedPlaces(given), unknown);
  });

  it("are not looked for where nothing is encrypted", () => {
    assert.deepEqual(encryptedPlaces({ ...given, secretKeys: [] }), { encrypted: [], unknownSecrets: [] });
  });
});
