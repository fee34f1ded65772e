import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { parseSettings } from "../../settings/settings";
import type { Values } from "../harness";
import { LEAST, source } from "../components/refusal";
import { chartSections, MANAGED } from "../components/samples";

/*
 * What the API server, Temporal or Postgres would refuse at `pulumi up`, or what would undo a promise, one table
 * for each kind of value: settings with the value, its key, what is taken, what is refused.
 */

interface Table {
  /** Key of the setting, as messages have it. */
  readonly key: string;
  readonly sections: (value: unknown) => Values;
  readonly accepted: readonly unknown[];
  readonly refused: readonly unknown[];
}

const worker =
  (change: (value: unknown) => Values) =>
  (value: unknown): Values => ({
    ...LEAST,
    workers: [{ name: "orders", taskQueues: ["orders"], ...change(value) }],
  });
const devServer = (change: (value: unknown) => Values) => (value: unknown) => ({
  ...LEAST,
  temporal: { mode: "devServer", ...change(value) },
});
const external = (change: (value: unknown) => Values) => (value: unknown) => ({
  ...LEAST,
  temporal: {
    mode: "external",
    address: "a:1",
    namespace: "n",
    network: { namespace: "t" },
    ...change(value),
  },
});
const chart = (temporal: (value: unknown) => Values) => (value: unknown) => chartSections(temporal(value));
const cluster = (postgres: (value: unknown) => Values) => (value: unknown) =>
  chartSections({}, postgres(value));
const managed = (change: (value: unknown) => Values) => (value: unknown) => ({
  ...chartSections(),
  postgres: { ...MANAGED, ...change(value) },
});
const uiIngress = (change: (value: unknown) => Values) => (value: unknown) => ({
  ...chartSections({
    ui: { ingress: { host: "temporal.example.com", tlsSecret: "tls", ...change(value) } },
  }),
  networkAccess: { uiFrom: [{ namespace: "ingress" }] },
});
const codecServer = (change: (value: unknown) => Values) => (value: unknown) => ({
  ...LEAST,
  payloadEncryption: { codecServer: { uiOrigin: "https://temporal.example.com", ...change(value) } },
});
const long = (length: number) => "a".repeat(length);

/** Plain scalars that YAML 1.1 or 1.2 reads as a number, a date, null or a boolean. */
const NOT_TEXT_IN_YAML = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
const NUMBERS_IN_YAML = ["123", "0x1f", "1e3", "010", "0o17", "0b11", "2026-01-31"];

const IMAGES = {
  accepted: [
    "node:24-slim",
    "a/b:1",
    "localhost:5000/a/b__c:1.2_3",
    `a/b@sha256:${"0".repeat(64)}`,
    `registry.example.com:443/a/b.c-d:v1@sha256:${"0".repeat(64)}`,
  ],
  refused: [
    "a//b:1",
    "/a:1",
    "a/:1",
    "a/b:",
    "a/B:1",
    "a/b:1 ",
    "a/b:-1",
    `a/b:${long(129)}`,
    "a/b:latest",
    "a/b",
    "a/b@sha256:0",
    `a/b@sha512:${"0".repeat(64)}`,
    `a/b@sha256:${"A".repeat(64)}`,
    `a/b:1@sha256:${"0".repeat(64)}@sha256:${"0".repeat(64)}`,
    "example.com:99999/a:1",
    "example.com:0/a:1",
    "example..com/a:1",
    "-a/b:1",
    "a_-b/c:1",
    "a/b..c:1",
    `${long(256)}:1`,
    "https://example.com/a:1",
  ],
};

const CIDRS = {
  accepted: [
    "10.0.0.0/8",
    "10.0.0.1/32",
    "0.0.0.0/0",
    "::/0",
    "fd00::/8",
    "2001:db8::1/128",
    "2001:db8:0:1::/64",
  ],
  refused: [
    "10.0.0.1/8",
    "10.0.0.0/33",
    "10.0.0.0",
    "10.0.0.0/08",
    "010.0.0.0/8",
    "10.0.0/8",
    "fe80::1%eth0/64",
    "fe80::%1/64",
    "fd00::1/64",
    "::/129",
    "::ffff:10.0.0.0/104",
    "::ffff:a00:0/104",
    " 10.0.0.0/8",
    "10.0.0.0/8,10.1.0.0/16",
  ],
};

const SIZES = {
  accepted: ["1Gi", "1500Mi", "1Ti"],
  refused: [
    "9223372036854775808",
    "8388608Ti",
    "8Ei",
    "9007199254740993Ki",
    "1024Ti",
    "1e30Gi",
    "0Gi",
    "-1Gi",
    "1.5Gi",
    "1G",
    "1 Gi",
    "1Ki",
  ],
};

const LABEL_KEYS = {
  accepted: ["owner", "example.com/cost-centre", "A_b.c-d", "sidecar.istio.io/inject", long(63)],
  refused: [
    long(64),
    "-a",
    "a-",
    "a b",
    "/a",
    "a/",
    "a/b/c",
    "Example.com/a",
    "example..com/a",
    `${Array.from({ length: 5 }, () => long(60)).join(".")}/a`,
    "cnpg.io/cluster",
    "postgresql.cnpg.io/x",
    "app.kubernetes.io/name",
    "kubernetes.io/metadata.name",
    "pod-security.kubernetes.io/enforce",
    "topology.kubernetes.io/zone",
    "node-role.kubernetes.io/worker",
    "batch.kubernetes.io/job-name",
    "k8s.io/x",
    "temporal-stack/stack",
    "temporal.io/build-id",
    "helm.sh/chart",
    "pod-template-hash",
    "controller-uid",
    "job-name",
  ],
};

const HOSTS = ["temporal.example.com", "10.0.0.1", "xn--bcher-kva.example", long(63)];
const NO_HOSTS = [
  "a..b",
  ".a",
  "a.",
  "-a",
  "a-",
  "a.-b",
  `${long(64)}.com`,
  Array.from({ length: 5 }, () => long(60)).join("."),
  "256.1.1.1",
  "1.2.3",
  "a.123",
  "a_b",
  "a b",
  "ä.de",
  "",
];

const TABLES: Readonly<Record<string, Table>> = {
  "label values": {
    key: "labels.owner",
    sections: (value) => ({ ...LEAST, labels: { owner: value } }),
    accepted: ["platform", "", "A.b_c-1", long(63)],
    refused: [long(64), "-a", "a-", "a b", "a/b", "ä", "a\n", "_", ".", 1, true, null],
  },
  "label keys": {
    key: "labels",
    sections: (value) => ({ ...LEAST, labels: { [String(value)]: "x" } }),
    ...LABEL_KEYS,
  },
  "pod labels of a peer": {
    key: "networkAccess.metricsFrom[0].podLabels",
    sections: (value) => ({
      ...LEAST,
      networkAccess: { metricsFrom: [{ namespace: "monitoring", podLabels: { [String(value)]: "x" } }] },
    }),
    accepted: ["app", "app.kubernetes.io/name"],
    refused: [long(64), "a/b/c", "-a"],
  },
  "names of namespaces": {
    key: "namespaces.workers",
    sections: (value) => ({ ...LEAST, namespaces: { workers: value } }),
    accepted: ["workers", "w", "1a", "a--b", long(63)],
    refused: [long(64), "a.b", "A", "-a", "a-", "a_b", "", ...NOT_TEXT_IN_YAML, ...NUMBERS_IN_YAML],
  },
  "names of Secrets": {
    key: "temporal.apiKeySecret.name",
    sections: external((name) => ({ apiKeySecret: { name, key: "key" } })),
    accepted: ["temporal", "temporal.api-key", "a.b.c", long(253)],
    refused: [long(254), "a..b", ".a", "a.", "A", "a_b", "a/b"],
  },
  "names of pull secrets": {
    key: "workerImage.pullSecret.existing",
    sections: (existing) => ({ ...LEAST, workerImage: { repository: "a/b", pullSecret: { existing } } }),
    accepted: ["pull", "registry.example.com"],
    refused: ["a..b", "a-.b", "A"],
  },
  "keys of Secrets": {
    key: "temporal.apiKeySecret.key",
    sections: external((key) => ({ apiKeySecret: { name: "temporal", key } })),
    accepted: ["api-key", "API_KEY", ".dockerconfigjson", "a..b"],
    refused: [".", "..", "..a", "a/b", "a b", "", long(254)],
  },
  "storage classes of the dev server": {
    key: "temporal.storage.storageClass",
    sections: devServer((storageClass) => ({ storage: { storageClass } })),
    accepted: ["fast", "ebs.csi.aws.com", long(253)],
    refused: ["a..b", "Fast", "a_b", ""],
  },
  "storage classes of Postgres": {
    key: "postgres.storage.storageClass",
    sections: cluster((storageClass) => ({ storage: { size: "10Gi", storageClass } })),
    accepted: ["premium-rwo", "rook.ceph-block"],
    refused: ["a..b", "-a"],
  },
  "names of Postgres clusters": {
    key: "postgres.name",
    sections: cluster((name) => ({ name })),
    accepted: ["temporal-pg", long(50)],
    refused: [long(51), "1pg", "a.b", "PG", "true", "null"],
  },
  "names of worker groups": {
    key: "workers[0].name",
    sections: (name) => ({ ...LEAST, workers: [{ name, taskQueues: ["a"] }] }),
    accepted: ["orders", "a1", long(30)],
    refused: [long(31), "a.b", "a_b", "", "123", "true"],
  },
  "Temporal namespaces": {
    key: "temporal.namespace",
    sections: devServer((namespace) => ({ namespace })),
    accepted: ["default", "shop", "prod.acct1", "temporal", "temporal-systems", "temporal_system"],
    refused: ["temporal-system", "temporal-sys-x", "Temporal-System", "a b", "-a", "", long(256)],
  },
  "task queues": {
    key: "workers[0].taskQueues[0]",
    sections: worker((queue) => ({ taskQueues: [queue] })),
    accepted: ["orders", "order lines", "a/b", "_sys", "temporal", "sys/a"],
    refused: [
      "/_sys/orders/1",
      "/_sys/",
      "temporal-sys-per-ns-tq",
      "temporal-sys-x",
      "/temporal-sys/worker-commands/a/b",
      "default-worker-tq",
      "a,b",
      " a",
      "a ",
      "",
      "ä",
      "a\tb",
      long(201),
    ],
  },
  "names of search attributes": {
    key: "temporal.searchAttributes",
    sections: devServer((name) => ({ searchAttributes: { [String(name)]: "Keyword" } })),
    accepted: ["CustomerId", "tier", "ScheduleId", "Keyword1", "KeywordX01", "Tempo"],
    refused: [
      "TemporalTenant",
      "Temporal",
      "TemporalChangeVersion",
      "WorkflowId",
      "ExecutionStatus",
      "RootRunId",
      "BuildIds",
      "BinaryChecksums",
      "BatcherUser",
      "NamespaceId",
      "Memo",
      "VisibilityTaskKey",
      "Keyword01",
      "Int12",
      "KeywordList03",
      "1a",
      "a-b",
      "",
      long(65),
    ],
  },
  "search attributes of the dev server, more than it has columns for": {
    key: "temporal.searchAttributes",
    sections: devServer((names) => ({
      searchAttributes: Object.fromEntries(
        (Array.isArray(names) ? names : []).map((name) => [String(name), "Int"]),
      ),
    })),
    accepted: [["a", "b", "c"]],
    refused: [["a", "b", "c", "d"]],
  },
  "addresses of servers": {
    key: "temporal.address",
    sections: external((address) => ({ address })),
    accepted: [...HOSTS.map((host) => `${host}:7233`), "[fd00::1]:7233", "a:65535"],
    refused: [
      ...NO_HOSTS.map((host) => `${host}:7233`),
      "a:65536",
      "a:99999",
      "a:0",
      "a:07233",
      "a",
      "a:",
      "a:b",
      "[fe80::1%eth0]:1",
      "[fd00::1:1",
      "[10.0.0.1]:1",
      "[:::]:1",
      "fd00::1:7233",
      "http://a:1",
      "a:1:2",
    ],
  },
  "names in certificates": {
    key: "temporal.tls.serverName",
    sections: external((serverName) => ({ tls: { serverName } })),
    accepted: HOSTS,
    refused: NO_HOSTS,
  },
  "hosts of Postgres services": {
    key: "postgres.host",
    sections: managed((host) => ({ host })),
    accepted: ["postgres.example.com", "db", "10.0.0.5"],
    refused: [...NO_HOSTS, "true", "null", "on"],
  },
  "hosts of the UI": {
    key: "temporal.ui.ingress.host",
    sections: uiIngress((host) => ({ host })),
    accepted: ["temporal.example.com"],
    refused: [...NO_HOSTS, "Temporal.example.com", "10.0.0.1", "true"],
  },
  "annotations of the UI": {
    key: "temporal.ui.ingress.annotations",
    sections: uiIngress((key) => ({ annotations: { [String(key)]: "x" } })),
    accepted: ["cert-manager.io/cluster-issuer", "nginx.ingress.kubernetes.io/proxy-body-size"],
    refused: ["a b", "a/b/c", "", long(64)],
  },
  "annotations of the UI that are too large": {
    key: "temporal.ui.ingress.annotations",
    sections: uiIngress((length) => ({ annotations: { a: long(Number(length)) } })),
    accepted: [1000],
    refused: [262144],
  },
  "names in the Ingress of the UI": {
    key: "temporal.ui.ingress.className",
    sections: uiIngress((className) => ({ className })),
    accepted: ["nginx", "nginx.internal"],
    refused: ["a..b", "Nginx", ...NOT_TEXT_IN_YAML, ...NUMBERS_IN_YAML, "1.10"],
  },
  "Secrets in the Ingress of the UI": {
    key: "temporal.ui.ingress.tlsSecret",
    sections: uiIngress((tlsSecret) => ({ tlsSecret })),
    accepted: ["tls", "temporal.example.com"],
    refused: ["a..b", ...NOT_TEXT_IN_YAML, ...NUMBERS_IN_YAML, "1.10"],
  },
  "keys of the dynamic configuration": {
    key: "temporal.dynamicConfig",
    sections: chart((keys) => ({
      dynamicConfig: Object.fromEntries((Array.isArray(keys) ? keys : []).map((key) => [String(key), 1])),
    })),
    accepted: [["frontend.namespaceRPS", "history.persistenceMaxQPS"]],
    refused: [["frontend.namespaceRPS", "frontend.namespacerps"], ["a b"], ["a:b"], [".a"], ["a."], [""]],
  },
  "names of Temporal clusters": {
    key: "temporal.cluster.name",
    sections: chart((name) => ({ cluster: { name } })),
    accepted: ["active", "prod"],
    refused: [...NOT_TEXT_IN_YAML, ...NUMBERS_IN_YAML],
  },
  "Secrets with the password of a Postgres service": {
    key: "postgres.passwordSecret.name",
    sections: managed((name) => ({ passwordSecret: { name } })),
    accepted: ["postgres-login", "postgres.login"],
    refused: [...NOT_TEXT_IN_YAML, ...NUMBERS_IN_YAML, "a..b"],
  },
  "keys of the password of a Postgres service": {
    key: "postgres.passwordSecret.key",
    sections: managed((key) => ({ passwordSecret: { name: "login", key } })),
    accepted: ["password", "POSTGRES_PASSWORD"],
    refused: ["true", "1e3", "123", "..", "a b"],
  },
  "databases of a Postgres service": {
    key: "postgres.databases.default",
    sections: managed((name) => ({ databases: { default: name } })),
    accepted: ["temporal", "temporal-prod", "Temporal_1", "_a", long(63)],
    refused: [
      "1a",
      "a b",
      "a/b",
      "a?b",
      "a'b",
      "",
      long(64),
      "template0",
      "template1",
      "postgres",
      "null",
      "true",
    ],
  },
  "users of a Postgres service": {
    key: "postgres.user",
    sections: managed((user) => ({ user })),
    accepted: ["temporal", "temporal@server", "sa@project.iam"],
    refused: ["a:b", "a/b", "a b", "pg_monitor", "", "a%b", long(64)],
  },
  "passwords of a Postgres service": {
    key: "postgres.password",
    sections: managed((password) => ({ password, passwordSecret: undefined })),
    accepted: ["hunter2", "p@ss:/?#[]%+&=\"'$\\{}", "пароль", long(1000)],
    refused: ["a b", " a", "a\n", "a\tb", "a\u00a0b", "", "a\u0000", long(1001), 1, true],
  },
  "client certificates of a Postgres service": {
    key: "postgres.clientCertificateSecret",
    sections: managed((name) => ({ clientCertificateSecret: { name } })),
    accepted: ["client", "client.example.com"],
    refused: ["a..b", "true", "1.10", "", 1],
  },
  "connection attributes of a Postgres service": {
    key: "postgres.connectAttributes",
    sections: managed((attributes) => ({ connectAttributes: attributes })),
    accepted: [
      {},
      { application_name: "temporal", connect_timeout: "10" },
      { target_session_attrs: "read-write", default_query_exec_mode: "simple_protocol" },
      { sslnegotiation: "direct", statement_timeout: "30s", synchronous_commit: "on" },
    ],
    refused: [
      ...[
        "sslmode",
        "sslkey",
        "sslrootcert",
        "host",
        "port",
        "user",
        "password",
        "database",
        "dbname",
        "service",
      ].map((name) => ({ [name]: "x" })),
      ...["a b", "a&b=c", "a=b", "a%20b", "a+b", "", "a\nb", 5].map((text) => ({ application_name: text })),
      { synchronous_commit: "off" },
      { default_transaction_read_only: "on" },
      { target_session_attrs: "read-only" },
      { "A b": "c" },
      [],
    ],
  },
  "address ranges": {
    key: "networkAccess.apiServer.cidrs[0]",
    sections: (cidr) => ({ ...LEAST, networkAccess: { apiServer: { cidrs: [cidr] } } }),
    ...CIDRS,
  },
  "address ranges of a server": {
    key: "temporal.network.cidrs[0]",
    sections: external((cidr) => ({ network: { cidrs: [cidr] } })),
    ...CIDRS,
  },
  ports: {
    key: "networkAccess.apiServer.ports[0]",
    sections: (port) => ({ ...LEAST, networkAccess: { apiServer: { ports: [port] } } }),
    accepted: [1, 6443, 65535],
    refused: [0, -1, 65536, 99999, 1.5, "443", "https", null],
  },
  "sizes of memory": {
    key: "temporal.resources.limits.memory",
    sections: devServer((memory) => ({ resources: { limits: { memory } } })),
    ...SIZES,
    refused: [...SIZES.refused, "32Ti"],
  },
  "sizes of volumes": {
    key: "temporal.storage.size",
    sections: devServer((size) => ({ storage: { size } })),
    ...SIZES,
  },
  "sizes of the volumes of Postgres": {
    key: "postgres.storage.size",
    sections: cluster((size) => ({ storage: { size } })),
    ...SIZES,
    refused: [...SIZES.refused, "512Mi"],
  },
  "amounts of CPU": {
    key: "temporal.resources.limits.cpu",
    sections: devServer((cpu) => ({ resources: { limits: { cpu } } })),
    accepted: ["1", "250m", "999"],
    refused: ["1000", "9223372036854775808", "0", "-1", "1000m", "0.5", "1e3", "1k", 1],
  },
  "images of the dev server": {
    key: "temporal.image",
    sections: devServer((image) => ({ image })),
    ...IMAGES,
  },
  "images with a version": {
    key: "temporal.images",
    sections: chart((image) => ({ images: { server: image, adminTools: image } })),
    accepted: ["a/b:1.31.2", `a/b:1.31.2@sha256:${"0".repeat(64)}`, "localhost:5000/a:1.31"],
    refused: [...IMAGES.refused, "a/b:1", "a/b:v1.31.2", `a/b@sha256:${"0".repeat(64)}`],
  },
  "repositories of the worker's image": {
    key: "workerImage.repository",
    sections: (repository) => ({ ...LEAST, workerImage: { repository } }),
    accepted: ["a/b", "ghcr.io/example/worker", "localhost:5000/a/b"],
    refused: [
      "a//b",
      "/a",
      "a/",
      "a/B",
      "a:1",
      "example.com:99999/a",
      "example..com/a",
      "https://a/b",
      "a b",
      "",
    ],
  },
  registries: {
    key: "workerImage.registry.server",
    sections: (server) => ({
      ...LEAST,
      workerImage: { repository: "a/b", registry: { server, username: "u", password: "p" } },
    }),
    accepted: ["ghcr.io", "localhost:5000"],
    refused: ["a..b", "a:99999", "a:0", "https://ghcr.io", "ghcr.io/a", ""],
  },
  "names of environment variables": {
    key: "workers[0].env",
    sections: worker((name) => ({ env: { [String(name)]: "x" } })),
    accepted: [
      "GREETING",
      "MAX_TOKENS",
      "SECRET_NAME",
      "TOKEN_URL",
      "GOOGLE_APPLICATION_CREDENTIALS",
      "PASSWORD_FILE",
      "PASSWORD_MIN_LENGTH",
      "AWS_ACCESS_KEY_ID",
      "TOKENS_PER_MINUTE",
      "OPENAI_MAX_TOKENS",
      "VAULT_SECRET_PATH",
      "TOKENIZER",
      "SECRETS_PROVIDER",
      "PARTITION_KEY",
      "AWS_WEB_IDENTITY_TOKEN_FILE",
    ],
    refused: [
      "DB_PASSWORD",
      "DB_PASS",
      "PASSWORD",
      "PASSWORD_1",
      "DB_PASSWORD_PROD",
      "API_TOKEN",
      "GITHUB_TOKEN",
      "TOKEN2",
      "CLIENT_SECRET",
      "AWS_SECRET_ACCESS_KEY",
      "AWS_SESSION_TOKEN",
      "STRIPE_API_KEY",
      "APIKEY",
      "PRIVATE_KEY",
      "DB_CREDENTIALS",
      "KEY_PASSPHRASE",
      "a",
      "1A",
      "A-B",
      "A B",
      "A=B",
      "",
      long(129).toUpperCase(),
      "TEMPORAL_ADDRESS",
      "NODE_OPTIONS",
    ],
  },
  "values of environment variables": {
    key: "workers[0].env.GREETING",
    sections: worker((value) => ({ env: { GREETING: value } })),
    accepted: ["", "hello", "a\nb", "ä", long(4096)],
    refused: [long(4097), "a\u0000b", "\ud800", 1, true, null],
  },
  "numbers of large environment variables": {
    key: "workers[0].env",
    sections: worker((count) => ({
      env: Object.fromEntries(Array.from({ length: Number(count) }, (_, index) => [`V${index}`, long(4096)])),
    })),
    accepted: [200],
    refused: [250, 256, 1000],
  },
  "switches of passwords": {
    key: "workers[0].env.REQUIRE_PASSWORD",
    sections: worker((value) => ({ env: { REQUIRE_PASSWORD: value } })),
    accepted: ["true", "false"],
    refused: ["hunter2"],
  },
  "chart repositories": {
    key: "charts.temporalRepository",
    sections: (temporalRepository) => ({ ...LEAST, charts: { temporalRepository } }),
    accepted: ["https://charts.example.com/a", "oci://ghcr.io/a/b", "http://localhost:8080/charts"],
    refused: [
      "https://a..b/c",
      "https://a:99999/c",
      "ftp://a/b",
      "https://",
      "https://a/b?c",
      "https://a/b/",
      "a/b",
    ],
  },
  "chart versions": {
    key: "temporal.chartVersion",
    sections: chart((chartVersion) => ({ chartVersion })),
    accepted: ["1.6.0", "1.6.0-rc.1", "1.6.0+build.5"],
    refused: ["^1.6.0", "1.6", "01.6.0", "1.6.0-", "1.6.0-01", "1.6.0-a..b", "v1.6.0", "latest"],
  },
  "origins of the UI": {
    key: "payloadEncryption.codecServer.uiOrigin",
    sections: codecServer((uiOrigin) => ({ uiOrigin })),
    accepted: ["https://temporal.example.com", "http://localhost:8080"],
    refused: [
      "https://a..b",
      "https://a:99999",
      "https://a/",
      "ftp://a",
      "https://A",
      "https://a:443",
      "null",
      "*",
    ],
  },
  "addresses of the codec server": {
    key: "payloadEncryption.codecServer.publicUrl",
    sections: codecServer((publicUrl) => ({ publicUrl })),
    accepted: ["https://codec.example.com", "https://example.com/codec"],
    refused: ["https://a..b", "https://a:99999", "https://a?b=c", "https://a/b/", "codec.example.com"],
  },
  "receivers of traces": {
    key: "tracing.endpoint",
    sections: (endpoint) => ({ ...LEAST, tracing: { endpoint, network: { namespace: "observability" } } }),
    accepted: ["http://collector.observability:4318", "https://otlp.example.com/v1"],
    refused: [
      "http://a..b:4318",
      "http://a:99999",
      "grpc://a:4317",
      "http://a:4318?x=1",
      "http://a#b",
      "http://",
    ],
  },
  "source repositories": {
    key: "workerImage.source",
    sections: (value) => ({ ...LEAST, workerImage: { repository: "a/b", source: value } }),
    accepted: ["https://git.example.com/stack"],
    refused: ["http://git.example.com/stack", "https://a..b/c", "https://a:99999/c", "https://"],
  },
  "ends of exceptions": {
    key: "policyExceptions[0].expires",
    sections: (expires) => ({
      ...LEAST,
      policyExceptions: [{ policy: "image-digest", resource: "a", reason: "b", owner: "c", expires }],
    }),
    accepted: ["2027-01-31", "2027-11-27", "2026-11-26", "2027-01-31 00:00:00 +0000 UTC"],
    refused: ["9999-12-31", "2027-11-28", "2030-01-01", "2027-02-30", "2027-1-1", "never", ""],
  },
};

function messageOf(sections: Values): string {
  try {
    parseSettings(
      source(sections, { secretKeys: ["temporal-stack:workerImage", "temporal-stack:postgres"] }),
    );
    return "accepted";
  } catch (error) {
    assert.ok(pulumi.RunError.isInstance(error), "a RunError shows no stack trace");
    return error.message;
  }
}

const short = (value: unknown) => JSON.stringify(value).slice(0, 60);

describe("settings that would fail at the cluster", () => {
  for (const [kind, { key, sections, accepted, refused }] of Object.entries(TABLES)) {
    it(`are refused: ${kind}`, () => {
      const wrong = [
        ...accepted
          .map((value) => ({ value, message: messageOf(sections(value)) }))
          .filter(({ message }) => message !== "accepted"),
        ...refused
          .map((value) => ({ value, message: messageOf(sections(value)) }))
          .filter(({ message }) => !message.includes(`temporal-stack:${key}`)),
      ];
      assert.deepEqual(
        wrong.map(({ value, message }) => `${short(value)}: ${message}`),
        [],
      );
    });
  }

  it("are refused: names of stacks", () => {
    const stack = (name: string) => {
      try {
        parseSettings(source(LEAST, { stack: name }));
        return true;
      } catch {
        return false;
      }
    };
    assert.deepEqual(
      ["dev", "prod-1", "a.b_c", long(63)].filter((name) => !stack(name)),
      [],
    );
    assert.deepEqual([long(64), "-a", "a-", "_a", "a b"].filter(stack), []);
  });

  const parameters: readonly [name: string, accepted: readonly string[], refused: readonly string[]][] = [
    ["fsync", ["on"], ["off", "OFF", "false", "0", "no", "of"]],
    ["full_page_writes", ["on"], ["off", "false"]],
    ["synchronous_commit", ["on", "remote_apply"], ["off", "local", "remote_write", "OFF", "0"]],
    ["wal_level", ["replica", "logical"], ["minimal", "MINIMAL"]],
    ["wal_log_hints", ["on"], ["off"]],
    ["max_wal_senders", ["10", "32"], ["0", "2", "x"]],
    ["max_replication_slots", ["32"], ["0", "1"]],
    ["archive_timeout", ["1min", "300"], ["0", "0s"]],
    ["autovacuum", ["on"], ["off", "false", "0"]],
    ["track_counts", [], ["off"]],
    ["password_encryption", ["scram-sha-256"], ["md5"]],
    ["zero_damaged_pages", ["off"], ["on"]],
    ["ignore_checksum_failure", ["off"], ["on"]],
    ["default_transaction_read_only", ["off"], ["on"]],
    ["default_transaction_isolation", ["read committed"], ["serializable"]],
    ["session_replication_role", [], ["replica"]],
    ["search_path", [], ["temporal"]],
    ["huge_pages", ["try"], ["on"]],
    ["max_wal_size", ["1GB", "2048"], ["10GB", "50MB", "lots", "-1"]],
    ["min_wal_size", ["100MB"], ["2GB", "x"]],
    ["max_slot_wal_keep_size", ["1GB"], ["-1", "10GB"]],
    ["wal_keep_size", ["512MB"], ["20GB"]],
    ["work_mem", ["8MB"], ["8MB\n"]],
    ["auto_explain.log_min_duration", ["1s"], []],
    ["log_statement", ["ddl"], []],
    ...[
      ...["shared_preload_libraries", "session_preload_libraries", "local_preload_libraries"],
      ...[
        "ssl",
        "ssl_min_protocol_version",
        "ssl_ciphers",
        "archive_mode",
        "archive_command",
        "archive_library",
      ],
      ...[
        "listen_addresses",
        "port",
        "hba_file",
        "ident_file",
        "config_file",
        "data_directory",
        "cluster_name",
      ],
      ...["unix_socket_directories", "unix_socket_permissions", "restore_command", "recovery_target_time"],
      ...[
        "recovery_min_apply_delay",
        "primary_conninfo",
        "primary_slot_name",
        "hot_standby",
        "restart_after_crash",
      ],
      ...["synchronous_standby_names", "synchronized_standby_slots", "log_destination", "log_directory"],
      ...[
        "logging_collector",
        "log_rotation_age",
        "syslog_facility",
        "bonjour",
        "jit_provider",
        "event_source",
      ],
      ...["allow_system_table_mods", "data_sync_retry", "temp_tablespaces", "pg_failover_slots.primary_dsn"],
      ...["include", "include_dir", "include_if_exists", "dynamic_library_path", "extension_control_path"],
      ...[
        "max_connections",
        "shared_buffers",
        "superuser_reserved_connections",
        "FSYNC",
        "a.b.c",
        "a.",
        "a b",
        "",
      ],
    ].map((name): [string, string[], string[]] => [name, [], ["on"]]),
  ];
  for (const [name, accepted, refused] of parameters) {
    it(`are refused: parameter ${JSON.stringify(name)} of Postgres`, () => {
      const message = (value: string) => messageOf(cluster(() => ({ parameters: { [name]: value } }))(value));
      assert.deepEqual(
        accepted.filter((value) => message(value) !== "accepted"),
        [],
      );
      assert.deepEqual(
        refused.filter((value) => !message(value).includes("temporal-stack:postgres.parameters")),
        [],
      );
    });
  }
});
