import assert from "node:assert/strict";
import fc from "fast-check";
import {
  clusterSpec,
  databaseSpec,
  postgresParameters,
} from "../../components/manifests/postgresClusterManifests";
import {
  preflightEnvironment,
  preflightFiles,
  preflightScript,
} from "../../components/manifests/managedPostgresManifests";
import { parseSettings } from "../../settings/settings";
import { bytesOf } from "../../settings/quantity";
import { neededConnections, peakServerPods } from "../../settings/connectionBudget";
import type { Values } from "../harness";
import { at, mappingAt } from "../program/stack";
import { pem } from "../fixtures/certificates";
import { refusal, source } from "./refusal";
import { chartRefusal, chartSections, chartSettings, MANAGED, managedSettings } from "./samples";

const cluster = (changes: Values = {}) => chartSettings({}, changes).cluster;

describe("settings of Postgres", () => {
  const cases: readonly [title: string, message: string, pattern: RegExp][] = [
    [
      "no section for a server that needs one",
      refusal({ ...chartSections(), postgres: undefined }),
      /temporal-stack:postgres .*needs Postgres; add the section/,
    ],
    [
      "a section that nobody needs",
      refusal({ ...chartSections(), temporal: { mode: "devServer" } }),
      /temporal-stack:postgres .*is for temporal\.mode chart, which is devServer/,
    ],
    [
      "more replicas to wait for than there are",
      chartRefusal({}, { instances: 2, synchronousReplicas: 2 }),
      /postgres\.synchronousReplicas .*2 instances have only 1/,
    ],
    [
      "too few connections for the pods",
      chartRefusal({}, { maxConnections: 469 }),
      /postgres\.maxConnections .*need 470; raise it/,
    ],
    [
      "parameters of the operator",
      chartRefusal({}, { parameters: { ssl_cert_file: "x", max_connections: "1" } }),
      /^2 problems[^]*parameters\.ssl_cert_file .*belongs to the CloudNativePG operator[^]*parameters\.max_connections .*set that and remove this/,
    ],
    [
      "a log level that no replica can follow",
      chartRefusal({}, { parameters: { wal_level: "minimal" } }),
      /parameters\.wal_level .*breaks a promise of this stack/,
    ],
    [
      "a Postgres that the operator does not run",
      chartRefusal({}, { image: "postgres:12.2" }),
      /postgres\.image .*PostgreSQL 13 or newer, not 12/,
    ],
    [
      "an image without version",
      chartRefusal({}, { image: "postgres:standard" }),
      /postgres\.image .*tag begins with its version/,
    ],
    [
      "memory that Postgres does not start in",
      chartRefusal({}, { resources: { requests: { memory: "128Mi" } } }),
      /resources\.requests\.memory .*at least 256Mi/,
    ],
    [
      "the operator in the server's namespace",
      chartRefusal({}, { operator: { namespace: "temporal" } }),
      /operator\.namespace .*is used already/,
    ],
    [
      "a chart version that is a range",
      chartRefusal({}, { operator: { chartVersion: "^0.29.0" } }),
      /operator\.chartVersion .*an exact semantic version/,
    ],
    [
      "a service with two passwords",
      refusal(
        { ...chartSections(), postgres: { ...MANAGED, password: "hunter2" } },
        { secretKeys: ["temporal-stack:postgres"] },
      ),
      /temporal-stack:postgres .*exactly one of password and passwordSecret/,
    ],
    [
      "a password in the clear",
      refusal({
        ...chartSections(),
        postgres: { ...MANAGED, passwordSecret: undefined, password: "hunter2" },
      }),
      /postgres\.password .*must be a secret, got plain text, which is not shown/,
    ],
    [
      "a certificate that verifies nothing",
      refusal({
        ...chartSections(),
        postgres: {
          ...MANAGED,
          verifyTls: "none",
          ca: pem("ca.crt"),
        },
      }),
      /postgres\.ca .*verifies nothing/,
    ],
    [
      "a certificate of anybody",
      refusal({ ...chartSections(), postgres: { ...MANAGED, verifyTls: "ca" } }),
      /postgres\.verifyTls .*verifies nothing without ca/,
    ],
    [
      "a way to verify that there is not",
      refusal({ ...chartSections(), postgres: { ...MANAGED, verifyTls: false } }),
      /postgres\.verifyTls .*must be one of "full", "ca", "none", got false/,
    ],
    [
      "attributes of other settings, of replicas and against promises",
      refusal({
        ...chartSections(),
        postgres: {
          ...MANAGED,
          connectAttributes: {
            sslmode: "disable",
            host: "a",
            target_session_attrs: "standby",
            synchronous_commit: "off",
            application_name: "a&b",
          },
        },
      }),
      /^5 problems[^]*sslmode .*remove it[^]*host .*remove it[^]*standby|target_session_attrs[^]*synchronous_commit .*breaks/,
    ],
    [
      "one database for both",
      refusal({ ...chartSections(), postgres: { ...MANAGED, databases: { visibility: "temporal" } } }),
      /databases\.visibility .*must differ/,
    ],
  ];
  for (const [title, message, pattern] of cases) {
    it(`refuse ${title}`, () => {
      assert.match(message, pattern);
      assert.ok(!message.includes("hunter2"));
    });
  }
});

describe("connection budget", () => {
  const count = fc.integer({ min: 1, max: 30 });
  const pool = fc.integer({ min: 2, max: 50 });

  it("carries every pool of every pod while all roles roll", () => {
    fc.assert(
      fc.property(count, count, pool, pool, (frontend, history, main, visibility) => {
        const { server } = chartSettings(
          {
            roles: { frontend: { replicas: frontend }, history: { replicas: history } },
            databaseConnections: { default: main, visibility },
          },
          { maxConnections: 10_000 },
        );
        // Kubernetes rounds a surge of 25 % up; matching and worker have two pods each.
        const pods = frontend + Math.ceil(frontend / 4) + history + Math.ceil(history / 4) + 6;
        assert.equal(peakServerPods(server), pods);
        const needed = neededConnections(server);
        assert.ok(
          needed >= pods * (main + visibility) * 1.25 + 20 && needed < pods * (main + visibility) * 1.25 + 21,
        );
      }),
      { numRuns: 50 },
    );
  });
});

describe("Postgres cluster", () => {
  it("waits for one replica from three instances on, and never loses an acknowledged commit", () => {
    assert.deepEqual(at(clusterSpec(cluster()), "postgresql", "synchronous"), {
      method: "any",
      number: 1,
      dataDurability: "required",
      failoverQuorum: true,
    });
    assert.equal(at(clusterSpec(cluster({ instances: 1 })), "postgresql", "synchronous"), undefined);
    assert.equal(
      at(clusterSpec(cluster({ synchronousReplicas: 0 })), "postgresql", "synchronous"),
      undefined,
    );
  });

  it("has a disruption budget only where one instance may go", () => {
    assert.equal(clusterSpec(cluster()).enablePDB, true);
    assert.equal(clusterSpec(cluster({ instances: 1 })).enablePDB, false);
  });

  it("lets nobody log in as owner or superuser, or without TLS", () => {
    const spec = clusterSpec(cluster());
    assert.equal(spec.enableSuperuserAccess, false);
    const roles = spec.managed.roles.map(({ name, login }) => [name, login]);
    assert.deepEqual(roles, [
      ["temporal", false],
      ["temporal_a", true],
      ["temporal_b", true],
    ]);
    assert.deepEqual(spec.postgresql.pg_hba.at(-1), "hostnossl all all all reject");
    for (const database of ["default", "visibility"] as const) {
      assert.equal(databaseSpec("temporal-pg", database).owner, "temporal");
    }
  });

  it("gives what a login role makes to the owner", () => {
    assert.deepEqual(at(clusterSpec(cluster()), "bootstrap", "initdb", "postInitSQL"), [
      "CREATE ROLE temporal_a LOGIN IN ROLE temporal",
      "ALTER ROLE temporal_a SET role = 'temporal'",
      "CREATE ROLE temporal_b LOGIN IN ROLE temporal",
      "ALTER ROLE temporal_b SET role = 'temporal'",
    ]);
  });

  it("has parameters that fit its memory and its volumes, whatever their size", () => {
    const gibibytes = fc.integer({ min: 1, max: 256 });
    fc.assert(
      fc.property(gibibytes, gibibytes, gibibytes, fc.boolean(), (memory, storage, log, ownLog) => {
        const settings = cluster({
          resources: { requests: { memory: `${memory}Gi` }, limits: { memory: `${memory}Gi` } },
          storage: { size: `${storage}Gi` },
          ...(ownLog ? { walStorage: { size: `${log}Gi` } } : {}),
        });
        const parameters = postgresParameters(settings);
        const megabytes = (name: string) => {
          const [, number] = /^(\d+)MB$/.exec(parameters[name] ?? "") ?? [];
          assert.ok(number !== undefined, `${name} ${String(parameters[name])}`);
          return Number(number);
        };
        const bytes = bytesOf(settings.resources.requests.memory) ?? 0;
        // The operator refuses more shared buffers than memory; connections at work need the rest.
        assert.ok(megabytes("shared_buffers") * 1024 ** 2 <= bytes / 4);
        assert.ok(megabytes("work_mem") >= 1);
        const volume = (ownLog ? log : storage) * 1024;
        assert.ok(megabytes("max_wal_size") < volume && megabytes("max_slot_wal_keep_size") <= volume / 2);
        assert.ok(Object.values(parameters).every((value) => typeof value === "string"));
      }),
      { numRuns: 100 },
    );
  });

  it("takes parameters of the settings over its own", () => {
    assert.equal(postgresParameters(cluster({ parameters: { work_mem: "8MB" } }))["work_mem"], "8MB");
  });
});

describe("preflight of a Postgres service", () => {
  const service = (changes: Values = {}) => {
    const { postgres } = managedSettings({}, changes);
    assert.ok(postgres?.mode === "managed");
    return postgres;
  };
  const needs = { connections: 470, historyShards: 512, cluster: { name: "active", peers: [] } };

  it("verifies the server's certificate, and never goes without TLS", () => {
    const ca = pem("ca.crt");
    const modes = [
      service(),
      service({ ca }),
      service({ ca, verifyTls: "ca" }),
      service({ verifyTls: "none" }),
    ].map((settings) => {
      const { PGSSLMODE, PGSSLROOTCERT } = preflightEnvironment(settings);
      return [PGSSLMODE, PGSSLROOTCERT];
    });
    assert.deepEqual(modes, [
      ["verify-full", "system"],
      ["verify-full", "/etc/postgres-ca/ca.crt"],
      ["verify-ca", "/etc/postgres-ca/ca.crt"],
      ["require", undefined],
    ]);
  });

  it("proves itself by a certificate where Temporal does, and connects as it does", () => {
    const environment = preflightEnvironment(
      service({
        clientCertificateSecret: { name: "client", privateKeyKey: "key.pem" },
        connectAttributes: {
          application_name: "temporal",
          default_query_exec_mode: "simple_protocol",
          statement_timeout: "30s",
        },
      }),
    );
    assert.deepEqual(
      [environment["PGSSLCERT"], environment["PGSSLKEY"], environment["PGAPPNAME"], environment["PGOPTIONS"]],
      [
        "/etc/postgres-client/tls.crt",
        "/etc/postgres-client/key.pem",
        "temporal",
        "-c statement_timeout=30s",
      ],
    );
    const { volumes } = preflightFiles(undefined, {
      secretName: "client",
      certificateKey: "tls.crt",
      privateKeyKey: "tls.key",
      revision: "1",
    });
    assert.deepEqual(volumes, [
      { name: "client-certificate", secret: { secretName: "client", defaultMode: 0o440 } },
    ]);
  });

  it("asks for everything that Temporal needs", () => {
    const script = preflightScript(service(), needs);
    for (const part of [
      "server_version_num",
      "max_connections",
      "pg_has_role",
      "btree_gin",
      "cluster_metadata_info",
    ]) {
      assert.ok(script.includes(part), part);
    }
    assert.ok(script.includes("-ge 470") && script.includes('"$shards" = 512'));
    assert.ok(!("PGPASSWORD" in preflightEnvironment(service())));
  });

  it("is a shell script without mistakes", async () => {
    const { execa } = await import("execa");
    await execa("sh", ["-n", "-c", preflightScript(service(), needs)]);
  });
});

describe("secrets of Postgres", () => {
  it("are never printed", () => {
    const sections = {
      ...chartSections(),
      postgres: { ...MANAGED, passwordSecret: undefined, password: "hunter2" },
    };
    const settings = parseSettings(source(sections, { secretKeys: ["temporal-stack:postgres"] }));
    assert.ok(!JSON.stringify(settings).includes("hunter2"));
    assert.equal(String(mappingAt(settings.postgres)["password"]), "[secret]");
  });
});
