import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSettings, type Settings, settingsSchema } from "../../settings/settings";
import { configOf } from "../../settings/engineYaml";
import { placesOf, secretPathsOf } from "../../settings/secretSettings";
import { sourceOfStackFile } from "../../settings/stackFile";
import { pem } from "../fixtures/certificates";
import { at } from "../program/stack";

const FILE = `
encryptionsalt: v1:salt
config:
  temporal-stack:temporal:
    mode: external
    address: temporal.example.com:7233
    namespace: orders
    network: { cidrs: ["192.0.2.0/24"] }
    apiKey: { secure: v1:key }
    tls:
      client:
        certificate: ${JSON.stringify(pem("client.crt"))}
        privateKey: { secure: v1:key }
  temporal-stack:workerImage:
    repository: registry.example.com/worker
    registry: { username: pusher, password: { secure: v1:password } }
    pullSecret: { username: puller, password: { secure: v1:password } }
  temporal-stack:workers: [{ name: orders, taskQueues: [orders] }]
  temporal-stack:tracing:
    endpoint: https://collector.example.com
    headers: { secure: v1:headers }
    network: { cidrs: ["192.0.2.0/24"] }
  other-project:key: { secure: v1:other }
`;

describe("a stack file that is read without the engine", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-test-"));
  const settings = (): Settings => {
    const source = sourceOfStackFile(folder, "ours");
    assert.ok(source);
    return parseSettings(source);
  };
  before(() => writeFileSync(join(folder, "Pulumi.ours.yaml"), FILE));
  after(() => rmSync(folder, { recursive: true }));

  it("gives its settings, with secrets that stay unknown", () => {
    const read = settings();
    assert.equal(read.workerImage.registry?.username, "pusher");
    const sections = Object.entries(configOf(FILE, "temporal-stack", "Pulumi.ours.yaml"));
    const written = new Map(sections.map(([key, value]) => [key.split(":")[1] ?? key, value]));
    const places = secretPathsOf(settingsSchema).flatMap((path) =>
      placesOf(path, Object.fromEntries(written)),
    );
    assert.equal(places.length, 5);
    for (const place of places.map((path) => path.map(String))) {
      assert.equal(String(at(read, ...place)), "[secret]", place.join("."));
    }
  });

  it("is undefined when there is none", () => {
    assert.equal(sourceOfStackFile(folder, "theirs"), undefined);
  });

  it("takes a secret of any form", () => {
    const source = sourceOfStackFile(folder, "ours", {
      temporal: { mode: "chart" },
      postgres: {
        mode: "managed",
        host: "postgres.example.com",
        user: "temporal",
        password: { secure: "v1:password" },
        maxConnections: 1000,
      },
    });
    assert.ok(source);
    const { postgres } = parseSettings(source);
    assert.ok(postgres?.mode === "managed");
    assert.equal(String(postgres.password), "[secret]");
  });
});
