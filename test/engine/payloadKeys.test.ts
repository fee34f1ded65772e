import assert from "node:assert/strict";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { Failure } from "../../common/failure";
import { checkout } from "../../common/paths";
import type { StackCli } from "../../common/pulumi";
import { decrypted, encrypted } from "../../ops/keys/age";
import { importKeys } from "../../ops/keys/importKeys";
import { exportedKeys, keysInCluster, keyTable } from "../../ops/keys/stackKeys";
import { CONFIG_FILE_VARIABLE } from "../../settings/encryptedPlaces";
import { commandPath } from "../../toolchain/install";
import { programs } from "../../toolchain/programs";
import { ADMINISTRATOR, ApiServer } from "../support/apiServer";
import { OfflineEngine } from "../support/offlineEngine";

/*
 * The real CLI, engine and provider against a real API server without controllers: an update is kept to the namespaces
 * and the keys. A backend that is gone is the loss of the state.
 */

const STACK = "team";
const FILE = `Pulumi.${STACK}.yaml`;
const TARGETS = ["StackNamespaces", "StackIdentity", "PayloadKeyring"].flatMap((component) => [
  "--target",
  `**:${component}**`,
]);
const BROUGHT = randomBytes(32).toString("base64");
const VALUE = "temporal-stack:payloadEncryption.keys[1].value";

const section = z.looseObject({ keys: z.array(z.unknown()).optional() });
const stackFile = z.looseObject({ config: z.record(z.string(), z.unknown()) });

/** Somebody's checkout and backend. */
class Workplace {
  readonly engine: OfflineEngine;
  readonly file: string;
  readonly cli: StackCli;

  constructor(kubeconfig: string) {
    const text = readFileSync(kubeconfig, "utf8");
    const context = z.object({ "current-context": z.string() }).parse(parse(text))["current-context"];
    this.engine = new OfflineEngine(text);
    this.file = this.engine.file(FILE);
    this.cli = {
      stack: STACK,
      description: "a test",
      command: commandPath(programs.pulumi),
      environment: this.engine.environment,
      cluster: { kubeconfig, context },
      local: false,
    };
  }

  async start(text?: string): Promise<void> {
    // As in a clone: the salt of the passphrase is in the stack file.
    await this.engine.start();
    const written = this.engine.writeStackFile("local", (content) => content);
    writeFileSync(this.file, text ?? readFileSync(written, "utf8"));
    const { failed, output } = await this.engine.pulumi(["stack", "init", STACK]);
    assert.ok(!failed, output);
  }

  encryption(change: Record<string, unknown>): void {
    const { config, ...rest } = stackFile.parse(parse(readFileSync(this.file, "utf8")));
    const key = "temporal-stack:payloadEncryption";
    const changed = { ...config, [key]: { ...section.parse(config[key] ?? {}), ...change } };
    writeFileSync(this.file, stringify({ ...rest, config: changed }));
  }

  adopt(...namespaces: string[]): void {
    const { config, ...rest } = stackFile.parse(parse(readFileSync(this.file, "utf8")));
    const changed = { ...config, "temporal-stack:namespaces": { adopt: namespaces } };
    writeFileSync(this.file, stringify({ ...rest, config: changed }));
  }

  run(...command: string[]) {
    return this.engine.pulumi([...command, "--stack", STACK], checkout, {
      [CONFIG_FILE_VARIABLE]: this.file,
    });
  }

  async up(): Promise<string> {
    const { failed, output } = await this.run("up", "--yes", "--skip-preview", ...TARGETS);
    assert.ok(!failed, output);
    return output;
  }
}

const encrypt = (key: Buffer): Buffer => {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  return Buffer.concat([nonce, cipher.update("order 1"), cipher.final(), cipher.getAuthTag()]);
};

const decrypt = (key: Buffer, payload: Buffer): string => {
  const decipher = createDecipheriv("aes-256-gcm", key, payload.subarray(0, 12));
  decipher.setAuthTag(payload.subarray(-16));
  return Buffer.concat([decipher.update(payload.subarray(12, -16)), decipher.final()]).toString();
};

describe("payload keys of a stack whose state is lost", () => {
  const servers: ApiServer[] = [];
  const places: Workplace[] = [];
  let identity: string;
  let recipient: string;
  /** The file that is in the repository. */
  let committed: string;
  let backup: string;
  let keyring: string;
  let payload: Buffer;

  const secretIn = async (server: number): Promise<string> => {
    const args = ["get", "secret", "temporal-payload-keyring", "--namespace", "temporal-workers"];
    const finished = await servers[server]?.kubectl(ADMINISTRATOR, [...args, "--output", "jsonpath={.data}"]);
    assert.equal(finished?.exitCode, 0, finished?.output);
    return finished.output;
  };
  const keyOf = (data: string, id: string): Buffer => {
    const keys = z.record(z.string(), z.string()).parse(JSON.parse(data));
    return Buffer.from(Buffer.from(keys[id] ?? "", "base64").toString(), "base64");
  };
  const workplace = async (server: number, text?: string): Promise<Workplace> => {
    const place = new Workplace(servers[server]?.kubeconfig(ADMINISTRATOR) ?? "");
    places.push(place);
    await place.start(text);
    return place;
  };
  const importInto = async (place: Workplace): Promise<string> => {
    const lines = await importKeys(place.cli, place.engine.folder, await decrypted(backup, [identity]));
    return lines.join("\n");
  };

  before(async () => {
    for (let count = 0; count < 2; count++) servers.push(await ApiServer.start());
    identity = await generateX25519Identity();
    recipient = await identityToRecipient(identity);
  });

  after(async () => {
    for (const { engine } of places) engine.stop();
    for (const server of servers) await server.stop();
  });

  it("are generated and brought, and exported for a recipient without ever standing in the clear", async () => {
    const place = await workplace(0);
    place.encryption({ keys: ["key-1", { id: "key-2" }] });
    const { cli } = place;
    const { folder } = place.engine;
    await assert.rejects(exportedKeys(cli, folder), /has not generated key-1, key-2 yet/);
    const set = await place.engine.pulumi(
      ["config", "set", VALUE, "--path", "--secret", "--stack", STACK],
      folder,
      {},
      BROUGHT,
    );
    assert.ok(!set.failed, set.output);
    await place.up();
    keyring = await secretIn(0);
    assert.equal(keyOf(keyring, "key-2").toString("base64"), BROUGHT);
    payload = encrypt(keyOf(keyring, "key-1"));

    const exported = await exportedKeys(cli, folder);
    assert.deepEqual(
      exported.keys.map(({ id, value }) => [id, value]),
      ["key-1", "key-2"].map((id) => [id, keyOf(keyring, id).toString("base64")]),
    );
    backup = await encrypted(JSON.stringify(exported), [recipient]);
    const table = await keyTable(cli, folder);
    assert.match(table, /^key-1 +generated +active: encrypts\nkey-2 +stack file +decrypts$/);
    committed = readFileSync(place.file, "utf8");
    for (const text of [committed, table, backup]) assert.ok(!text.includes(BROUGHT));
    assert.match(await importInto(place), /key-1 is there already\nkey key-2 is there already/);
    assert.equal(readFileSync(place.file, "utf8"), committed);
    assert.match(await place.up(), /unchanged/);
    assert.equal(await secretIn(0), keyring);
  });

  it("would be generated anew, which is refused as long as the cluster has the old ones", async () => {
    const place = await workplace(0, committed);
    place.adopt("temporal", "temporal-workers");
    for (const command of [["preview"], ["up", "--yes", "--skip-preview"]]) {
      const { failed, output } = await place.run(...command, ...TARGETS);
      assert.ok(failed, output);
      assert.match(output, /temporal-payload-keyring exists already with payload keys .*\(key-1/);
      assert.match(output, /npm run keys -- export --from-cluster/);
    }
    assert.equal(await secretIn(0), keyring);
  });

  it("are the same after an import, byte by byte, in the old cluster and in a new one", async () => {
    for (const server of [0, 1]) {
      const place = await workplace(server, committed);
      place.adopt("temporal", "temporal-workers");
      assert.match(await importInto(place), /Pulumi\.team\.yaml has key-1 now, encrypted/);
      const text = readFileSync(place.file, "utf8");
      assert.ok(!text.includes(keyOf(keyring, "key-1").toString("base64")));
      await place.up();
      assert.equal(await secretIn(server), keyring);
      assert.equal(decrypt(keyOf(await secretIn(server), "key-1"), payload), "order 1");
      assert.match(await place.up(), /unchanged/);
    }
  });

  it("can be had from the cluster without an export, and are not mixed up with another stack's", async () => {
    const place = await workplace(0, committed);
    const { cli } = place;
    const { folder } = place.engine;
    const { keys } = await keysInCluster(cli, folder);
    assert.deepEqual(
      keys.map(({ id, value }) => [id, value]),
      ["key-1", "key-2"].map((id) => [id, keyOf(keyring, id).toString("base64")]),
    );
    const text = await decrypted(backup, [identity]);
    const renamed = text.replace(`"${STACK}"`, '"dev"');
    await assert.rejects(importKeys(cli, folder, renamed), /is of stack dev, not of team/);
    const foreign = text.replace(BROUGHT, randomBytes(32).toString("base64"));
    await assert.rejects(importKeys(cli, folder, foreign), (error: unknown) => {
      assert.ok(error instanceof Failure);
      assert.match(error.details.join(), /another key under id key-2/);
      return true;
    });
    assert.equal(readFileSync(place.file, "utf8"), committed);
  });
});
