import assert from "node:assert/strict";
import { settingsSchema } from "../../settings/settings";
import { keyOf, secretPathsOf } from "../../settings/secretSettings";
import { LEAST, refusal } from "../components/refusal";

const image = {
  repository: "registry.example.com/worker",
  registry: { username: "u", password: "hunter2" },
  pullSecret: { username: "u", password: "hunter2" },
};

describe("secret settings", () => {
  it("are found in the schema, whatever wraps them", () => {
    assert.deepEqual(secretPathsOf(settingsSchema).map(keyOf).sort(), [
      "imagePull.login.password",
      "payloadEncryption.keys[].value",
      "payloadEncryption.retiredKeys[].value",
      "postgres.backup.store.credentials.accessKeyId",
      "postgres.backup.store.credentials.applicationCredentials",
      "postgres.backup.store.credentials.secretAccessKey",
      "postgres.backup.store.credentials.storageKey",
      "postgres.backup.store.credentials.storageSasToken",
      "postgres.password",
      "temporal.apiKey",
      "temporal.tls.client.privateKey",
      "temporal.ui.login.clientSecret",
      "tracing.headers",
      "workerImage.pullSecret.password",
      "workerImage.registry.password",
      "workers[].secrets[].value",
    ]);
  });

  it("are refused in the clear beside one that is encrypted", () => {
    const message = refusal(
      { ...LEAST, workerImage: image },
      {
        secretKeys: ["temporal-stack:workerImage"],
        encrypted: [["workerImage", "registry", "password"]],
      },
    );
    assert.match(message, /^1 problem/);
    assert.match(
      message,
      /workerImage\.pullSecret\.password .*must be a secret, got plain text, which is not shown/,
    );
  });

  it("are refused when nothing says which value of their section is encrypted", () => {
    const more = {
      secretKeys: ["temporal-stack:workerImage"],
      encrypted: [],
      unknownSecrets: ["workerImage"],
    };
    const message = refusal({ ...LEAST, workerImage: image }, more);
    assert.match(message, /temporal-stack:workerImage .*unknown which: .*PULUMI_OPTION_CONFIG_FILE/);
    assert.match(
      refusal({ ...LEAST, workerImage: { repository: image.repository } }, more),
      /temporal-stack:workerImage .*none of the settings there is kept secret/,
    );
  });
});
