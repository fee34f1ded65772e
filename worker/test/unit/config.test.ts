import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { ConfigurationError, connectionOptions, loadClientConfig, loadWorkerConfig } from "../../src/config";

const MINIMUM = {
  TEMPORAL_ADDRESS: "temporal:7233",
  TEMPORAL_NAMESPACE: "shop",
  TEMPORAL_TASK_QUEUES: "orders",
};

function problems(overrides: Record<string, string>): string[] {
  try {
    loadWorkerConfig({ ...MINIMUM, ...overrides });
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error));
    return [...error.problems];
  }
  return [];
}
const names = (overrides: Record<string, string>): string[] =>
  problems(overrides).map((problem) => problem.slice(0, problem.indexOf(":")));

describe("configuration", () => {
  let folder: string;
  let file: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "config-"));
    file = join(folder, "..pem");
    writeFileSync(file, "one");
    writeFileSync(join(folder, "k1"), randomBytes(32).toString("base64"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("has the documented defaults", () => {
    const config = loadWorkerConfig(
      { ...MINIMUM, POD_NAME: "orders-0", POD_NAMESPACE: "shop" },
      { limit: 1024 ** 3, heapLimit: 0.4 * 1024 ** 3 },
    );
    assert.deepEqual(config, {
      connection: { address: "temporal:7233", apiKey: undefined, tls: undefined, compression: "none" },
      namespace: "shop",
      taskQueues: ["orders"],
      keyring: undefined,
      encryption: { bindToWorkflow: true, requireEncrypted: false },
      tracing: undefined,
      identity: "orders-0@shop",
      healthPort: 8080,
      metricsBindAddress: "0.0.0.0:9464",
      logLevel: "info",
      failureMessages: true,
      shutdown: { graceSeconds: 30, forceSeconds: 40 },
      connect: { attemptSeconds: 10, giveUpSeconds: 300 },
      capacity: { cachedWorkflows: 73, activities: 24, workflowTasks: 12 },
      pollers: { activities: "auto", workflowTasks: "auto" },
      version: undefined,
    });
  });

  it("traces only where an endpoint is set, one trace in ten unless told otherwise", () => {
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };
    const tracing = (overrides: Record<string, string>) =>
      loadClientConfig({ ...MINIMUM, ...overrides }).tracing;
    assert.equal(tracing({ OTEL_TRACES_SAMPLER_ARG: "1" }), undefined);
    assert.deepEqual(tracing(endpoint), { sampleRatio: 0.1, failureMessages: true });
    assert.deepEqual(tracing({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://collector/v1/traces" }), {
      sampleRatio: 0.1,
      failureMessages: true,
    });
    for (const [text, sampleRatio] of [
      ["0", 0],
      ["1", 1],
      [".25", 0.25],
      ["1.0", 1],
    ] as const) {
      assert.equal(tracing({ ...endpoint, OTEL_TRACES_SAMPLER_ARG: text })?.sampleRatio, sampleRatio);
    }
    assert.equal(tracing({ ...endpoint, OTEL_SDK_DISABLED: "true" }), undefined);
  });

  it("refuses tracing settings that the exporter would ignore or misread, and shows no header", () => {
    const wrong = {
      OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318",
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
      OTEL_EXPORTER_OTLP_HEADERS: "Bearer hush-hush",
      OTEL_TRACES_SAMPLER: "always_on",
      OTEL_TRACES_SAMPLER_ARG: "1.1",
    };
    assert.deepEqual(names(wrong).sort(), Object.keys(wrong).sort());
    assert.ok(!problems(wrong).join().includes("hush-hush"));
    for (const share of ["-0", "2", "1.5", "1e-1", "NaN", " 1"]) {
      assert.deepEqual(names({ OTEL_TRACES_SAMPLER_ARG: share }), ["OTEL_TRACES_SAMPLER_ARG"], share);
    }
  });

  it("requires encrypted payloads only with keys to read them with", () => {
    assert.deepEqual(names({ CODEC_REQUIRE_ENCRYPTED: "true" }), ["CODEC_REQUIRE_ENCRYPTED"]);
    const codec = { CODEC_KEYS_DIR: folder, CODEC_ACTIVE_KEY: "k1" };
    const strict = { ...codec, CODEC_REQUIRE_ENCRYPTED: "true", CODEC_BIND_TO_WORKFLOW: "false" };
    assert.deepEqual(loadWorkerConfig({ ...MINIMUM, ...strict }).encryption, {
      bindToWorkflow: false,
      requireEncrypted: true,
    });
  });

  it("names every missing setting at once, and takes the empty string for missing", () => {
    assert.throws(
      () => loadWorkerConfig({ TEMPORAL_NAMESPACE: "" }),
      (error) => error instanceof ConfigurationError && error.problems.length === 3,
    );
    assert.throws(
      () => loadClientConfig({}),
      (error) => error instanceof ConfigurationError && error.problems.length === 3,
    );
    assert.equal(
      loadWorkerConfig({ ...MINIMUM, HEALTH_PORT: "", TEMPORAL_TLS: "" }).connection.tls,
      undefined,
    );
  });

  it("refuses every number that is not plain digits within its range", () => {
    const numeric = fc.constantFrom(
      "HEALTH_PORT",
      "SHUTDOWN_GRACE_SECONDS",
      "ACTIVITY_SLOTS",
      "MAX_CACHED_WORKFLOWS",
    );
    const wrong = fc.oneof(
      fc.constantFrom(
        "-1",
        "1.5",
        "0x10",
        "1e3",
        " 8",
        "8 ",
        "٣",
        "NaN",
        "Infinity",
        "99999999999999999999",
        "999999999",
      ),
      fc.string({ minLength: 1 }).filter((text) => !/^\d+$/.test(text)),
    );
    fc.assert(
      fc.property(numeric, wrong, (name, value) => assert.deepEqual(names({ [name]: value }), [name])),
    );
  });

  it("reports problems of single settings and across settings together", () => {
    const found = names({
      TEMPORAL_ADDRESS: "http://temporal:7233",
      LOG_LEVEL: "loud",
      METRICS_BIND_ADDRESS: ":9464",
      SHUTDOWN_GRACE_SECONDS: "40",
      CODEC_ACTIVE_KEY: "k1",
    });
    assert.deepEqual(found.sort(), [
      "CODEC_KEYS_DIR",
      "LOG_LEVEL",
      "METRICS_BIND_ADDRESS",
      "SHUTDOWN_FORCE_SECONDS",
      "TEMPORAL_ADDRESS",
    ]);
    assert.deepEqual(names({ HEALTH_PORT: "9464" }), ["HEALTH_PORT"]);
  });

  it("compresses for a distant server only, where that is said", () => {
    const options = (overrides: Record<string, string>) =>
      connectionOptions(loadClientConfig({ ...MINIMUM, ...overrides }).connection);
    assert.deepEqual(options({}).grpcCompression, { codec: "none" });
    assert.deepEqual(options({ TEMPORAL_GRPC_COMPRESSION: "gzip" }).grpcCompression, { codec: "gzip" });
    assert.deepEqual(names({ TEMPORAL_GRPC_COMPRESSION: "zstd" }), ["TEMPORAL_GRPC_COMPRESSION"]);
  });

  it('never takes a doubtful TEMPORAL_TLS for "no TLS"', () => {
    for (const value of ["True", "TRUE", "yes", "on", "no", "2"]) {
      assert.deepEqual(names({ TEMPORAL_TLS: value, TEMPORAL_API_KEY: "key" }), ["TEMPORAL_TLS"], value);
    }
  });

  it("turns TLS on with an API key and refuses to send one in the clear", () => {
    const { connection } = loadClientConfig({ ...MINIMUM, TEMPORAL_API_KEY: "key" });
    assert.deepEqual(connectionOptions(connection), {
      address: "temporal:7233",
      tls: {},
      grpcCompression: { codec: "none" },
      apiKey: "key",
    });
    assert.deepEqual(names({ TEMPORAL_TLS: "false", TEMPORAL_API_KEY: "key" }), ["TEMPORAL_TLS"]);
    assert.deepEqual(names({ TEMPORAL_TLS: "0", TEMPORAL_TLS_SERVER_CA_CERT_PATH: file }), ["TEMPORAL_TLS"]);
  });

  it("reaches Temporal by a proxy that takes CONNECT, named without scheme and login", () => {
    const { connection } = loadWorkerConfig({ ...MINIMUM, TEMPORAL_PROXY_ADDRESS: "proxy.example.com:3128" });
    assert.deepEqual(connectionOptions(connection), {
      address: "temporal:7233",
      tls: false,
      grpcCompression: { codec: "none" },
      proxy: { type: "http-connect", targetHost: "proxy.example.com:3128" },
    });
    for (const value of ["proxy.example.com", "http://proxy.example.com:3128", "user:password@proxy:3128"]) {
      const found = names({ TEMPORAL_PROXY_ADDRESS: value });
      assert.deepEqual(found, ["TEMPORAL_PROXY_ADDRESS"], value);
    }
    assert.deepEqual(names({ TEMPORAL_PROXY: "proxy.example.com:3128" }), ["TEMPORAL_PROXY"]);
  });

  it("refuses half a key pair and files that cannot be read", () => {
    assert.deepEqual(names({ TEMPORAL_TLS_CLIENT_CERT_PATH: file }), ["TEMPORAL_TLS_CLIENT_CERT_PATH"]);
    assert.deepEqual(names({ TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(folder, "none") }), [
      "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
    ]);
  });

  it("takes a build id with dots, as versions have them, but no deployment name with one", () => {
    const version = { TEMPORAL_DEPLOYMENT_NAME: "orders", TEMPORAL_WORKER_BUILD_ID: "1.4.2" };
    assert.deepEqual(loadWorkerConfig({ ...MINIMUM, ...version }).version, {
      deploymentName: "orders",
      buildId: "1.4.2",
    });
    assert.deepEqual(names({ ...version, TEMPORAL_DEPLOYMENT_NAME: "or.ders" }), [
      "TEMPORAL_DEPLOYMENT_NAME",
    ]);
    for (const buildId of ["1:4", "1 4"]) {
      assert.deepEqual(names({ ...version, TEMPORAL_WORKER_BUILD_ID: buildId }), [
        "TEMPORAL_WORKER_BUILD_ID",
      ]);
    }
  });

  it("refuses variables of other programs that it would ignore, and leaves the kubelet’s alone", () => {
    const refused = [
      "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION",
      "TEMPORAL_TLS_CLIENT_KEY_DATA",
      "TEMPORAL_TLS_CERT",
      "TEMPORAL_CONFIG_FILE",
      "TEMPORAL_PROFILE",
      "TEMPORAL_GRPC_META_X",
      "TEMPORAL_DEBUG",
    ];
    assert.deepEqual(names(Object.fromEntries(refused.map((name) => [name, "x"]))), refused);
    assert.deepEqual(
      names({ TEMPORAL_FRONTEND_SERVICE_HOST: "10.0.0.1", TEMPORAL_FRONTEND_PORT: "tcp://x" }),
      [],
    );
  });

  it("never repeats a secret", () => {
    const found = problems({
      TEMPORAL_API_KEY: "se cret",
      TEMPORAL_TLS: "false",
      TEMPORAL_TLS_CLIENT_KEY_DATA: "se cret",
    });
    assert.ok(found.length >= 2);
    assert.ok(!found.join().includes("cret"));
  });

  it("reads certificates on each call, so that they rotate", () => {
    const { connection } = loadClientConfig({
      ...MINIMUM,
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: file,
      TEMPORAL_TLS_CLIENT_CERT_PATH: file,
      TEMPORAL_TLS_CLIENT_KEY_PATH: file,
      TEMPORAL_TLS_SERVER_NAME: "temporal.internal",
    });
    const ca = () => {
      const { tls } = connectionOptions(connection);
      return tls === false ? undefined : Buffer.from(tls.serverRootCACertificate ?? []).toString();
    };
    assert.equal(ca(), "one");
    writeFileSync(file, "two");
    assert.equal(ca(), "two");
  });

  it("loads the keyring, and reports its problems with all others", () => {
    rmSync(file);
    const codec = { CODEC_KEYS_DIR: folder, CODEC_ACTIVE_KEY: "k1" };
    assert.equal(loadWorkerConfig({ ...MINIMUM, ...codec }).keyring?.activeKeyId, "k1");
    assert.deepEqual(names({ ...codec, CODEC_ACTIVE_KEY: "k9", HEALTH_PORT: "x" }).sort(), [
      "CODEC_KEYS_DIR",
      "HEALTH_PORT",
    ]);
  });
});
