import assert from "node:assert/strict";
import fc from "fast-check";
import * as pulumi from "@pulumi/pulumi";
import { parseSettings } from "../../settings/settings";
import { pem } from "../fixtures/certificates";
import { isValues, type Values } from "../harness";
import { TODAY } from "../components/refusal";

type Path = readonly (string | number)[];

/** Settings in which every key is set, so that every key can be made wrong. */
const FULL: Values = {
  kubernetes: { context: "prod", clusterIdentifier: "prod-1" },
  namespaces: { temporal: "temporal", workers: "workers" },
  temporal: {
    mode: "devServer",
    image: "temporalio/temporal:1.5.1",
    namespace: "default",
    storage: { size: "1Gi", storageClass: "fast" },
    resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { cpu: "1", memory: "1Gi" } },
    searchAttributes: { CustomerId: "Keyword" },
    rolloutTimeoutSeconds: 300,
  },
  workerImage: {
    repository: "registry.example.com/worker",
    digest: `sha256:${"0".repeat(64)}`,
    platform: "linux/arm64",
    buildNetwork: "host",
    baseImages: { build: "node:24-slim", runtime: "node:24-slim" },
    registry: { server: "registry.example.com", username: "pusher", password: "hunter2" },
    pullSecret: { username: "puller", password: "hunter2" },
    source: "https://git.example.com/stack",
  },
  images: {
    orders: {
      repository: "registry.example.com/orders",
      digest: `sha256:${"1".repeat(64)}`,
      build: "workers/orders",
      platform: "linux/arm64",
    },
  },
  workers: [
    {
      name: "orders",
      taskQueues: ["orders"],
      image: "orders",
      namespace: "shop",
      command: ["python"],
      args: ["-m", "orders"],
      probes: { mode: "http", startup: "/healthz", liveness: "/healthz", readiness: "/healthz" },
      ports: { health: 8081, metrics: 9465 },
      payloadEncryption: false,
      replicas: { min: 2, max: 4, targetCpuPercent: 60 },
      resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { cpu: "1", memory: "1Gi" } },
      logLevel: "info",
      shutdown: { graceSeconds: 30, forceSeconds: 40, terminationGracePeriodSeconds: 60 },
      activitySlots: 10,
      workflowTaskSlots: 10,
      maxCachedWorkflows: 100,
      activityPollers: "auto",
      workflowTaskPollers: 5,
      connect: { attemptSeconds: 10, giveUpSeconds: 100 },
      rolloutTimeoutSeconds: 300,
      env: { GREETING: "hello" },
    },
  ],
  payloadEncryption: {
    enabled: true,
    keys: ["key-1"],
    activeKey: "key-1",
    retiredKeys: ["key-0"],
    codecServer: {
      uiOrigin: "https://temporal.example.com",
      publicUrl: "https://codec.example.com",
      auth: {
        mode: "jwt",
        issuer: "https://login.example.com/",
        audience: "temporal-codec",
        jwksUrl: "https://login.example.com/jwks",
        requiredClaims: { groups: ["temporal-admins"] },
        network: { namespace: "login", podLabels: { app: "login" }, podPort: 8443 },
      },
      replicas: 2,
      resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { cpu: "1", memory: "256Mi" } },
    },
  },
  tracing: {
    endpoint: "https://collector.observability:4318",
    sampleRatio: 0.5,
    headers: "authorization=Bearer%20hunter3",
    network: { namespace: "observability", podLabels: { app: "collector" }, podPort: 4318 },
  },
  networkAccess: {
    frontendFrom: [{ namespace: "clients", podLabels: { app: "client" } }],
    uiFrom: [{ namespace: "ingress" }],
    codecFrom: [{ cidrs: ["10.0.0.0/8"] }],
    metricsFrom: [{ namespace: "monitoring" }],
    preset: "gke",
    cilium: true,
    webhooksFrom: [{ namespace: "kube-system", podLabels: { "k8s-app": "konnectivity-agent" } }],
    dns: [{ namespace: "dns", podLabels: { app: "unbound" }, ports: [1053] }],
  },
  monitoring: {
    mode: "resources",
    prometheus: { namespace: "monitoring", podLabels: { app: "prometheus" } },
    labels: { release: "prometheus" },
    intervalSeconds: 15,
    groupsWithoutMetrics: ["orders"],
    slo: { start: { percent: 99.5 }, scheduleToStart: { percent: 99, seconds: 0.5 } },
    backlog: { tasks: 10, seconds: 60 },
    backups: { hours: 50 },
    runbooks: "https://wiki.example.com/alerts.md",
  },
  labels: { owner: "platform" },
  deletionProtection: true,
};

/** The same for a server elsewhere, with credentials in the settings and by name. */
const EXTERNAL: readonly Values[] = [
  {
    tls: {
      serverName: "temporal.example.com",
      ca: pem("ca.crt"),
      client: { certificate: pem("client.crt"), privateKey: pem("client-ec.key") },
    },
    apiKey: "hunter2",
  },
  {
    tls: { secret: { name: "tls", caKey: "ca.crt", certificateKey: "tls.crt", privateKeyKey: "tls.key" } },
    apiKeySecret: { name: "temporal", key: "api-key" },
  },
].map((credentials) => ({
  ...FULL,
  temporal: {
    mode: "external",
    address: "temporal.example.com:443",
    namespace: "shop",
    network: { cidrs: ["10.0.0.0/8"], podPort: 443 },
    ...credentials,
  },
  networkAccess: { metricsFrom: [{ namespace: "monitoring" }] },
}));

const RESOURCES = { requests: { cpu: "100m", memory: "512Mi" }, limits: { cpu: "1", memory: "1Gi" } };
const ROLE = { replicas: 2, resources: RESOURCES };

/** The same for the official chart, with each Postgres. */
const CHART: readonly Values[] = [
  {
    mode: "cluster",
    operator: {
      install: true,
      namespace: "cnpg-system",
      chartVersion: "0.29.0",
      image: "a/operator:1.30.0",
      gateImage: "a/curl:8",
      replicas: 1,
      resources: RESOURCES,
    },
    name: "temporal-pg",
    image: "a/postgres:16.1",
    instances: 3,
    synchronousReplicas: 1,
    antiAffinity: "required",
    storage: { size: "10Gi", storageClass: "fast" },
    walStorage: { size: "10Gi", storageClass: "fast" },
    resources: RESOURCES,
    maxConnections: 1000,
    parameters: { work_mem: "8MB" },
    credentials: { loginRole: "a", passwordGenerations: { a: 1, b: 1 } },
    stopSeconds: 60,
    readyTimeoutSeconds: 900,
  },
  {
    mode: "managed",
    host: "postgres.example.com",
    port: 5432,
    databases: { default: "temporal", visibility: "visibility" },
    user: "temporal",
    password: "hunter2",
    ca: pem("ca.crt"),
    clientCertificateSecret: {
      name: "client",
      certificateKey: "tls.crt",
      privateKeyKey: "tls.key",
      revision: "1",
    },
    verifyTls: "full",
    connectAttributes: { application_name: "temporal" },
    maxConnections: 1000,
    network: { namespace: "databases", podLabels: { app: "postgres" }, podPort: 5432 },
    preflightImage: "a/postgres:16.1",
  },
].map((postgres) => ({
  ...FULL,
  namespaces: { temporal: "temporal", workers: "workers", adopt: ["temporal"] },
  temporal: {
    mode: "chart",
    chartVersion: "1.6.0",
    images: { server: "a/server:1.31.2", adminTools: "a/admin-tools:1.31.2" },
    historyShards: 512,
    cluster: { name: "active", initialFailoverVersion: 1, failoverVersionIncrement: 10 },
    roles: { frontend: ROLE, history: ROLE, matching: ROLE, worker: ROLE },
    databaseConnections: { default: 20, visibility: 10 },
    shutdown: { failHealthCheckSeconds: 5, drainSeconds: 10, terminationGracePeriodSeconds: 60 },
    namespace: "shop",
    namespaces: [
      {
        name: "shop",
        retentionDays: 7,
        shortenRetentionToDays: 7,
        description: "Orders",
        searchAttributes: { CustomerId: "Keyword" },
      },
    ],
    reconcileMinutes: 10,
    dynamicConfig: {},
    ui: {
      enabled: true,
      image: "a/ui:2.52.0",
      replicas: 1,
      resources: RESOURCES,
      ingress: {
        host: "temporal.example.com",
        className: "nginx",
        tlsSecret: "tls",
        annotations: { a: "b" },
      },
    },
    logLevel: "info",
    schemaTimeoutSeconds: 300,
    rolloutTimeoutSeconds: 900,
  },
  postgres,
  charts: {
    temporalRepository: "https://a.example/charts",
    cloudNativePgRepository: "oci://a.example/charts",
  },
  networkAccess: {
    uiFrom: [{ namespace: "ingress" }],
    apiServer: { cidrs: ["10.0.0.1/32"], ports: [6443] },
  },
}));

/** Keys that may have any name: nothing in them is unknown. */
const FREE_MAPPINGS = [
  ...["labels", "podLabels", "env", "searchAttributes", "requiredClaims"],
  ...["parameters", "dynamicConfig", "annotations", "connectAttributes"],
];

function parse(sections: Values): unknown {
  return parseSettings({
    stack: "dev",
    stackFile: "Pulumi.dev.yaml",
    today: TODAY,
    config: Object.fromEntries(
      Object.entries(sections).map(([key, value]) => [`temporal-stack:${key}`, JSON.stringify(value)]),
    ),
    secretKeys: [
      "temporal-stack:workerImage",
      "temporal-stack:temporal",
      "temporal-stack:postgres",
      "temporal-stack:tracing",
    ],
  });
}

/** Every path of a value, mappings and lists included, the root not. */
function pathsOf(value: unknown, path: Path = []): { path: Path; value: unknown }[] {
  const children: [string | number, unknown][] = Array.isArray(value)
    ? value.map((item: unknown, index) => [index, item])
    : isValues(value)
      ? Object.entries(value)
      : [];
  return children.flatMap(([key, child]) => [
    { path: [...path, key], value: child },
    ...pathsOf(child, [...path, key]),
  ]);
}

function replaced(value: unknown, path: Path, change: unknown): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return change;
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => (index === head ? replaced(item, rest, change) : item));
  }
  return isValues(value) ? { ...value, [head]: replaced(value[head], rest, change) } : value;
}

function keyText(path: Path): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === "number" ? `${text}[${String(part)}]` : `${text}${text === "" ? "" : "."}${part}`,
    "",
  );
}

function refusal(sections: unknown): string {
  assert.ok(isValues(sections));
  try {
    parse(sections);
  } catch (error) {
    assert.ok(pulumi.RunError.isInstance(error));
    return error.message;
  }
  return "accepted";
}

const places = [FULL, ...EXTERNAL, ...CHART].flatMap((sections) =>
  pathsOf(sections).map((place) => ({ ...place, sections })),
);
const mappings = places.filter(
  ({ path, value }) =>
    isValues(value) && !FREE_MAPPINGS.includes(String(path.at(-1))) && keyText(path) !== "images",
);
const RUNS = { numRuns: 250 };

describe("settings, for any mistake", () => {
  it("are accepted without one", () => {
    for (const sections of [FULL, ...EXTERNAL, ...CHART]) assert.doesNotThrow(() => parse(sections));
  });

  it("name the key whose value is of another kind", () => {
    const wrong = fc.constantFrom<unknown>(
      null,
      3.5,
      -1,
      [],
      {},
      [["x"]],
      { x: { y: 1 } },
      "",
      " !? ",
      "\u0000",
      true,
    );
    const kinds = (value: unknown) =>
      Array.isArray(value) ? "list" : value === null ? "null" : typeof value;
    const mistake = fc
      .tuple(fc.constantFrom(...places), wrong)
      .filter(([{ value }, change]) => kinds(value) !== kinds(change));
    fc.assert(
      fc.property(mistake, ([{ path, sections }, change]) => {
        const message = refusal(replaced(sections, path, change));
        assert.ok(message.includes(`temporal-stack:${keyText(path)}`), message);
        assert.ok(message.includes("Pulumi.dev.yaml") && !message.includes("hunter2"), message);
      }),
      RUNS,
    );
  });

  it("name the key that nobody knows, wherever it stands", () => {
    const name = fc.stringMatching(/^[a-z][a-zA-Z]{0,12}X$/);
    fc.assert(
      fc.property(
        fc.constantFrom(...mappings),
        name,
        fc.jsonValue(),
        ({ path, value, sections }, key, content) => {
          assert.ok(isValues(value));
          const message = refusal(replaced(sections, path, { ...value, [key]: content }));
          assert.ok(
            message.includes(`temporal-stack:${keyText([...path, key])} (Pulumi.dev.yaml): unknown key`),
            message,
          );
        },
      ),
      RUNS,
    );
  });

  it("name every one of several unknown sections", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{3,10}X$/), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(names, (keys) => {
        const message = refusal({ ...FULL, ...Object.fromEntries(keys.map((key) => [key, 1])) });
        for (const key of keys) assert.ok(message.includes(`temporal-stack:${key} `), message);
      }),
      { numRuns: 50 },
    );
  });

  it("take exactly the shutdown times in the right order", () => {
    const seconds = fc.integer({ min: 1, max: 100 });
    fc.assert(
      fc.property(seconds, seconds, seconds, (grace, force, termination) => {
        const shutdown = {
          graceSeconds: grace,
          forceSeconds: force,
          terminationGracePeriodSeconds: termination,
        };
        const message = refusal(replaced(FULL, ["workers", 0, "shutdown"], shutdown));
        assert.equal(message === "accepted", termination > force && force > grace, message);
        if (message !== "accepted") assert.match(message, /workers\[0\]\.shutdown\./);
      }),
      RUNS,
    );
  });

  it("take exactly the slots and caches that task queues can divide between them", () => {
    const queues = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,5}$/), { minLength: 1, maxLength: 4 });
    const amounts = fc.record({
      activitySlots: fc.integer({ min: 1, max: 10 }),
      workflowTaskSlots: fc.integer({ min: 2, max: 10 }),
      maxCachedWorkflows: fc.integer({ min: 2, max: 10 }),
    });
    fc.assert(
      fc.property(queues, amounts, (taskQueues, amount) => {
        const message = refusal(
          replaced({ ...FULL, images: {} }, ["workers", 0], { name: "orders", taskQueues, ...amount }),
        );
        const n = taskQueues.length;
        const enough =
          amount.activitySlots >= n &&
          amount.workflowTaskSlots >= 2 * n &&
          amount.maxCachedWorkflows >= 2 * n;
        assert.equal(message === "accepted", enough, message);
      }),
      { numRuns: 100 },
    );
  });

  it("take exactly the address ranges whose bits after the prefix are zero", () => {
    const range = fc.oneof(
      fc.record({
        groups: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 })), {
          minLength: 4,
          maxLength: 4,
        }),
        length: fc.integer({ min: 0, max: 33 }),
      }),
      fc.record({
        // Begins with 1 at least, as ranges that begin with zeros have IPv4 addresses among them.
        groups: fc
          .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
            minLength: 7,
            maxLength: 7,
          })
          .map((rest) => [1, ...rest]),
        length: fc.integer({ min: 0, max: 129 }),
      }),
    );
    fc.assert(
      fc.property(range, ({ groups, length }) => {
        const [width, radix] = groups.length === 4 ? [8, 10] : [16, 16];
        const size = groups.length * width;
        const address = groups.reduce((sum, group) => (sum << BigInt(width)) | BigInt(group), 0n);
        const fits = length <= size && address % (1n << BigInt(size - Math.min(length, size))) === 0n;
        const text = `${groups.map((group) => group.toString(radix)).join(groups.length === 4 ? "." : ":")}/${length}`;
        const change = { metricsFrom: [], apiServer: { cidrs: [text] } };
        const message = refusal(replaced(FULL, ["networkAccess"], change));
        assert.equal(message === "accepted", fits, `${text}: ${message}`);
      }),
      { numRuns: 150 },
    );
  });

  it("take exactly the sizes in the spelling that Kubernetes keeps, of volumes that there are", () => {
    const units = ["Ki", "Mi", "Gi", "Ti"];
    const count = fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.bigInt({ min: 1n, max: 2n ** 70n }));
    fc.assert(
      fc.property(count, fc.integer({ min: 0, max: 3 }), (amount, power) => {
        const bytes = BigInt(amount) << BigInt(10 * (power + 1));
        const shortest = power === 3 || BigInt(amount) % 1024n !== 0n;
        const fits = bytes >= 1n << 20n && bytes <= 1023n << 40n && shortest;
        const text = `${String(amount)}${units[power] ?? ""}`;
        const message = refusal(replaced(FULL, ["temporal", "storage", "size"], text));
        assert.equal(message === "accepted", fits, `${text}: ${message}`);
      }),
      { numRuns: 150 },
    );
  });

  it("take exactly the replicas whose minimum is not above the maximum", () => {
    const count = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(count, count, (min, max) => {
        const message = refusal(replaced(FULL, ["workers", 0, "replicas"], { min, max }));
        assert.equal(message === "accepted", min <= max, message);
      }),
      { numRuns: 100 },
    );
  });
});
