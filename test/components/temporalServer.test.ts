import assert from "node:assert/strict";
import { execa } from "execa";
import fc from "fast-check";
import { chartSource } from "../../components/manifests/chartSource";
import { operatorValues, webhookGateScript } from "../../components/manifests/postgresOperatorManifests";
import { namespacesScript, reconcilerName } from "../../components/manifests/temporalNamespacesManifests";
import { temporalValues } from "../../components/manifests/temporalValues";
import { splitImage, versionOf } from "../../settings/imageVersion";
import { SEARCH_ATTRIBUTE_COLUMNS, SEARCH_ATTRIBUTE_TYPES } from "../../settings/names";
import { SERVER_ROLES } from "../../settings/temporal";
import { valuesProblems } from "../local/charts/values";
import type { PostgresConnection } from "../../components/manifests/postgresConnection";
import type { Values } from "../harness";
import { at, listAt } from "../program/stack";
import { chartRefusal, chartSettings } from "./samples";

const CONNECTION: PostgresConnection = {
  host: "temporal-pg-rw.temporal.svc",
  port: 5432,
  databases: { default: "temporal", visibility: "temporal_visibility" },
  user: "temporal_a",
  password: { secretName: "temporal-pg-login-a", key: "password" },
  ca: { secretName: "temporal-pg-ca", key: "ca.crt" },
  verifyTls: "full",
  clientCertificate: undefined,
  connectAttributes: {},
  passwordChecksum: "0".repeat(64),
};

function values(changes: Values = {}, connection: Partial<PostgresConnection> = {}) {
  return temporalValues(chartSettings(changes).server, {
    postgres: { ...CONNECTION, ...connection },
    serviceAccount: "temporal-server",
  });
}

describe("settings of the official chart", () => {
  const namespace = (changes: Values) => ({ namespaces: [{ name: "default", ...changes }] });
  const cases: readonly [title: string, message: string, pattern: RegExp][] = [
    [
      "a kill before the drain is over",
      chartRefusal({ shutdown: { drainSeconds: 40 } }),
      /terminationGracePeriodSeconds .*after 60 s.*drained \(40 s\).*set at least 65/,
    ],
    [
      "tools of another version",
      chartRefusal({ images: { adminTools: "temporalio/admin-tools:1.30.6" } }),
      /images\.adminTools .*schema of 1\.30, but images\.server is 1\.31/,
    ],
    [
      "a server by latest",
      chartRefusal({ images: { server: "temporalio/server:latest" } }),
      /images\.server .*tag begins with its version/,
    ],
    [
      "workers in a namespace that nobody makes",
      chartRefusal({ namespace: "orders" }),
      /temporal\.namespace .*"orders" is not among temporal\.namespaces \(default\)/,
    ],
    [
      "a namespace twice",
      chartRefusal({ namespaces: [{ name: "default" }, { name: "default" }] }),
      /namespaces\[1\]\.name .*name of namespaces\[0\]/,
    ],
    [
      "a retention of nothing",
      chartRefusal(namespace({ retentionDays: 0 })),
      /namespaces\[0\]\.retentionDays .*from 1 to 3650/,
    ],
    [
      "a description that a shell would read",
      chartRefusal(namespace({ description: "it's $HOME" })),
      /namespaces\[0\]\.description .*without quotes/,
    ],
    [
      "a version that no other cluster leaves room for",
      chartRefusal({ cluster: { initialFailoverVersion: 10 } }),
      /initialFailoverVersion .*below failoverVersionIncrement \(10\)/,
    ],
    [
      "a release that gives up before its schema job",
      chartRefusal({ schemaTimeoutSeconds: 900 }),
      /rolloutTimeoutSeconds .*not more than schemaTimeoutSeconds \(900\)/,
    ],
    [
      "an ingress that nobody may come through",
      chartRefusal({ ui: { ingress: { host: "temporal.example.com", tlsSecret: "tls" } } }),
      /networkAccess\.uiFrom .*lets nobody in/,
    ],
    [
      "dynamic configuration that is no value",
      chartRefusal({ dynamicConfig: { "frontend.namespaceRPS": [1] } }),
      /dynamicConfig\["frontend\.namespaceRPS"\] .*a text, a number or true\/false/,
    ],
  ];
  for (const [title, message, pattern] of cases) {
    it(`refuse ${title}`, () => assert.match(message, pattern));
  }

  it("take exactly as many search attributes of a type as Postgres has columns", () => {
    const type = fc.constantFrom(...SEARCH_ATTRIBUTE_TYPES);
    fc.assert(
      fc.property(type, fc.integer({ min: 1, max: 14 }), (name, count) => {
        const searchAttributes = Object.fromEntries(
          Array.from({ length: count }, (_, index) => [`Field${index}`, name]),
        );
        const fits = count <= SEARCH_ATTRIBUTE_COLUMNS[name];
        if (fits) chartSettings(namespace({ searchAttributes }));
        else assert.match(chartRefusal(namespace({ searchAttributes })), /namespaces\[0\]\.searchAttributes/);
      }),
      { numRuns: 100 },
    );
  });
});

describe("values of the Temporal chart", () => {
  it("have only keys that the chart knows, whatever the settings", () => {
    const count = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(count, count, fc.boolean(), fc.boolean(), (replicas, ui, enabled, ca) => {
        const changes = {
          roles: { frontend: { replicas }, worker: { replicas: 1 } },
          databaseConnections: { default: 5, visibility: 5 },
          ui: { enabled, replicas: ui },
          dynamicConfig: { "frontend.namespaceRPS": 100 },
        };
        const problems = valuesProblems("temporal", values(changes, ca ? {} : { ca: undefined }));
        assert.deepEqual(problems, []);
      }),
      { numRuns: 30 },
    );
  });

  it("verify the authority alone, with a certificate of their own, in the server and in its schema job", () => {
    const { server, admintools, ...rest } = values(
      {},
      {
        verifyTls: "ca",
        clientCertificate: {
          secretName: "client",
          certificateKey: "tls.crt",
          privateKeyKey: "tls.key",
          revision: "2",
        },
        connectAttributes: { application_name: "temporal" },
      },
    );
    assert.deepEqual(valuesProblems("temporal", { server, admintools, ...rest }), []);
    for (const { sql } of Object.values(server.config.persistence.datastores)) {
      assert.deepEqual(sql.connectAttributes, { application_name: "temporal", sslmode: "verify-ca" });
      assert.deepEqual(sql.tls, {
        enabled: true,
        enableHostVerification: false,
        caFile: "/etc/temporal/postgres-ca/ca.crt",
        certFile: "/etc/temporal/postgres-client/tls.crt",
        keyFile: "/etc/temporal/postgres-client/tls.key",
      });
    }
    for (const pod of [server, admintools])
      assert.equal(at(pod, "additionalVolumes", 1, "secret", "secretName"), "client");
    assert.equal(server.podAnnotations["temporal-stack/postgres-certificate-revision"], "2");
  });

  it("leave at least one pod of each role to evict, and never all of several", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), (replicas) => {
        const roles = Object.fromEntries(SERVER_ROLES.map((role) => [role, { replicas }]));
        const { server } = values({ roles, databaseConnections: { default: 2, visibility: 2 } });
        for (const role of SERVER_ROLES) {
          const budget = at(server, role, "podDisruptionBudget", "maxUnavailable");
          assert.equal(budget, replicas === 1 ? undefined : 1);
        }
      }),
    );
  });

  it("verify the database's certificate for both stores, with a CA that renews in running pods", () => {
    const { server, admintools } = values();
    const { datastores } = server.config.persistence;
    for (const { sql } of [datastores.default, datastores.visibility]) {
      assert.deepEqual(sql.tls, {
        enabled: true,
        enableHostVerification: true,
        caFile: "/etc/temporal/postgres-ca/ca.crt",
        serverName: CONNECTION.host,
      });
      assert.equal(sql.createDatabase, false);
      assert.equal(sql.existingSecret, "temporal-pg-login-a");
    }
    for (const pod of [server, admintools]) {
      assert.equal(at(pod, "additionalVolumeMounts", 0, "subPath"), undefined);
      assert.equal(at(pod, "additionalVolumes", 0, "secret", "secretName"), "temporal-pg-ca");
    }
  });

  it("roll the server when the password changes", () => {
    const before = values().server.podAnnotations;
    const after = values({}, { passwordChecksum: "1".repeat(64) }).server.podAnnotations;
    assert.notDeepEqual(before, after);
  });

  it("drain before the pod is killed, and move gRPC connections to new frontends", () => {
    const { dynamicConfig, terminationGracePeriodSeconds } = values().server;
    assert.deepEqual(at(dynamicConfig, "history.shutdownDrainDuration", 0, "value"), "10s");
    assert.deepEqual(at(dynamicConfig, "frontend.keepAliveMaxConnectionAge", 0, "value"), "1m");
    assert.equal(terminationGracePeriodSeconds, 60);
    const own = values({ dynamicConfig: { "frontend.keepAliveMaxConnectionAge": "2m" } });
    assert.equal(at(own.server.dynamicConfig, "frontend.keepAliveMaxConnectionAge", 0, "value"), "2m");
  });

  it("run every pod restricted, with a read-only root file system", () => {
    const all = values();
    const roles = SERVER_ROLES.map((role) => at(all.server, role, "containerSecurityContext"));
    const contexts = [all.web, all.schema, all.admintools].map((part) => part.containerSecurityContext);
    for (const context of [...roles, ...contexts]) {
      assert.equal(at(context, "readOnlyRootFilesystem"), true);
      assert.deepEqual(listAt(context, "capabilities", "drop"), ["ALL"]);
    }
    for (const part of [all.server, all.web, all.schema, all.admintools]) {
      assert.deepEqual(at(part, "securityContext", "runAsUser"), 1000);
    }
  });

  it("pin images by digest in the tag, as the chart has no key for it", () => {
    assert.match(values().server.image.tag, /^1\.31\.2@sha256:[0-9a-f]{64}$/);
    assert.equal(values().server.image.repository, "temporalio/server");
    const local = splitImage("localhost:5000/temporal/server:1.31.2-abc");
    assert.deepEqual(local, { repository: "localhost:5000/temporal/server", tag: "1.31.2-abc" });
    assert.deepEqual(versionOf("localhost:5000/temporal/server:1.31.2-abc"), [1, 31, 2]);
  });
});

describe("values of the operator's chart", () => {
  it("have only keys that the chart knows", () => {
    assert.deepEqual(valuesProblems("cloudnative-pg", operatorValues(chartSettings().cluster.operator)), []);
  });
});

describe("chart source", () => {
  it("is a repository, or an OCI registry as part of the name", () => {
    assert.deepEqual(chartSource("https://a.example/charts", "temporal", "1.6.0"), {
      chart: "temporal",
      version: "1.6.0",
      repositoryOpts: { repo: "https://a.example/charts" },
    });
    assert.deepEqual(chartSource("oci://a.example/charts", "temporal", "1.6.0"), {
      chart: "oci://a.example/charts/temporal",
      version: "1.6.0",
    });
  });
});

describe("job of the Temporal namespaces", () => {
  const namespaces = [
    { name: "b", retentionDays: 3, description: "second", searchAttributes: { Z: "Int", A: "Keyword" } },
    { name: "a", retentionDays: 1 },
  ];

  it("has another name for every change, and only then", () => {
    const name = (changes: Values) => {
      const { settings, server } = chartSettings({ namespace: "a", ...changes });
      return reconcilerName(settings, server);
    };
    const reordered = [...namespaces].reverse();
    assert.equal(name({ namespaces }), name({ namespaces: reordered }));
    assert.notEqual(name({ namespaces }), name({ namespaces: [{ name: "a", retentionDays: 2 }] }));
    assert.match(name({ namespaces }), /^temporal-namespaces-[0-9a-f]{10}$/);
  });

  it("makes what is missing, puts back what was changed, and refuses another type", () => {
    const script = namespacesScript(chartSettings({ namespace: "a", namespaces }).server);
    assert.match(script, /namespace create --namespace 'a' --retention 24h/);
    assert.match(script, /namespace update --namespace 'b' --retention 72h --description 'second'/);
    assert.match(script, /--name A --type Keyword[^]*--name Z --type Int/);
    assert.match(script, /cannot become Int/);
  });

  it("is a shell script without mistakes, like the one that waits for the webhook", async () => {
    const { server } = chartSettings({ namespace: "a", namespaces });
    await execa("sh", ["-n", "-c", namespacesScript(server)]);
    await execa("sh", ["-n", "-c", webhookGateScript("cnpg-system")]);
  });
});
