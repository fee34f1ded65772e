import assert from "node:assert/strict";
import { execa } from "execa";
import { preflightScript, type PreflightNeeds } from "../../../components/manifests/managedPostgresManifests";
import { managedSettings } from "../../components/samples";
import { postgresPrograms, PostgresServer } from "../../support/postgresServer";

/* The preflight's own script against a real Postgres with the table in which Temporal records its clusters. */

/** The table as Temporal's schema for Postgres makes it. */
const TABLE = `CREATE TABLE cluster_metadata_info (
  metadata_partition INTEGER NOT NULL,
  cluster_name VARCHAR(255) NOT NULL,
  data BYTEA NOT NULL,
  data_encoding VARCHAR(16) NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (metadata_partition, cluster_name)
)`;

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)];
}

/** The server's message `ClusterMetadata`: name, shards, and the id that it makes. */
function metadata(name: string, shards: number): Buffer {
  const [text, id] = [Buffer.from(name), Buffer.from("5b4b8a4c-2f5e-4b3c-9d0a-0d3c7c1f9a11")];
  return Buffer.from([10, ...varint(text.length), ...text, 16, ...varint(shards), 26, id.length, ...id]);
}

describe("preflight of a Postgres service, on a real Postgres", () => {
  const programs = postgresPrograms();
  const { postgres } = managedSettings();
  assert.ok(postgres?.mode === "managed");
  const { databases } = postgres;
  let server: PostgresServer;

  before(async function () {
    if (programs === undefined) {
      console.warn("SKIPPED: no Postgres in /usr/lib/postgresql; install Debian's package postgresql");
      return this.skip();
    }
    server = new PostgresServer(programs);
    await server.start();
    for (const database of Object.values(databases))
      await server.sql("postgres", `CREATE DATABASE ${database} OWNER ${server.user}`);
    await server.sql("postgres", `CREATE ROLE ${server.loginUser} LOGIN IN ROLE ${server.user}`);
  });

  after(async () => {
    if (programs !== undefined) await server.stop();
  });

  const records = async (...clusters: readonly [name: string, shards: number][]): Promise<void> => {
    await server.sql(databases.default, `DROP TABLE IF EXISTS cluster_metadata_info; ${TABLE}`);
    for (const [name, shards] of clusters) {
      const data = metadata(name, shards).toString("hex");
      await server.sql(
        databases.default,
        `INSERT INTO cluster_metadata_info VALUES (0, '${name}', '\\x${data}', 'Proto3', 1)`,
      );
    }
  };
  const preflight = async (cluster: Partial<PreflightNeeds["cluster"]>, historyShards = 512) => {
    const needs = { connections: 10, historyShards, cluster: { name: "prod", peers: [], ...cluster } };
    const script = preflightScript(postgres, needs);
    const { exitCode, all } = await execa("sh", ["-ceu", script], {
      env: server.environment,
      reject: false,
      all: true,
    });
    return { ready: exitCode === 0 && all.includes("ready for Temporal"), all };
  };

  describe("with a password", () => {
    const login = async (stored: string, secret: string) => {
      const quoted = stored.replaceAll("'", "''");
      await server.sql("postgres", `ALTER ROLE ${server.loginUser} PASSWORD '${quoted}'`);
      const needs = { connections: 10, historyShards: 512, cluster: { name: "prod", peers: [] } };
      return execa("sh", ["-ceu", preflightScript(postgres, needs)], {
        env: { ...server.environment, PGUSER: server.loginUser, PGPASSWORD: secret },
        reject: false,
        all: true,
      });
    };

    it("logs in with every sign that Temporal's connection string carries", async () => {
      const signs = `p@ss:/?#[]%+&="'$\\{}\`!*;,<>|~^`;
      const { all } = await login(signs, signs);
      assert.ok(!all.includes("cannot log in"), all);
    });

    it("is refused with a password that Temporal would send otherwise, and says why", async () => {
      const spaced = await login("two words", "two words");
      assert.notEqual(spaced.exitCode, 0);
      assert.match(spaced.all, /cannot log in.*The password has white space/);
      assert.ok(!spaced.all.includes("two words"));
      const broken = await login("hunter2", "hunter2\n");
      assert.notEqual(broken.exitCode, 0);
      assert.match(broken.all, /perhaps a line break at its end/);
    });
  });

  it("takes empty databases", async () => {
    const { ready, all } = await preflight({});
    assert.ok(ready, all);
  });

  for (const shards of [1, 127, 128, 512, 4096, 16384]) {
    it(`reads ${shards} shards of a record`, async () => {
      await records(["prod", shards]);
      const same = await preflight({}, shards);
      assert.ok(same.ready, same.all);
      const other = await preflight({}, shards + 1);
      assert.ok(!other.ready);
      assert.match(other.all, new RegExp(`made with ${shards} history shards.*set it to ${shards}$`));
    });
  }

  it("refuses the data of a cluster of another name, and says how to adopt it", async () => {
    const long = "a".repeat(200);
    for (const [name, shards] of [["active", 4] as const, [long, 4096] as const]) {
      await records([name, shards]);
      const { ready, all } = await preflight({});
      assert.ok(!ready, all);
      assert.ok(
        all.includes(`holds the data of Temporal cluster "${name}" with ${shards} history shards`),
        all,
      );
      assert.ok(
        all.includes(`set temporal.cluster.name to ${name} and temporal.historyShards to ${shards}`),
        all,
      );
    }
    await records(["active", 4]);
    const adopted = await preflight({ name: "active" }, 4);
    assert.ok(adopted.ready, adopted.all);
  });

  it("takes a record beside its own only of a cluster that it replicates with", async () => {
    await records(["active", 512], ["prod", 512]);
    assert.match((await preflight({})).all, /add active to temporal\.cluster\.peers/);
    const peered = await preflight({ peers: ["active"] });
    assert.ok(peered.ready, peered.all);
    await records(["active", 512]);
    assert.ok(!(await preflight({ peers: ["active"] })).ready, "the data of the peer was taken over");
  });

  it("refuses a record that it cannot read", async () => {
    await records(["prod", 512]);
    await server.sql(databases.default, "UPDATE cluster_metadata_info SET data_encoding = 'Json'");
    assert.match((await preflight({})).all, /made with unknown history shards/);
  });
});
