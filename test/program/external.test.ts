import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LEAST, refusal } from "../components/refusal";
import type { Deployment, Values } from "../harness";
import { outputsSchema } from "../../common/stackOutputs";
import { workerConnection } from "../../ops/stack/workerConnection";
import { serveObjects } from "../ops/servedObjects";
import { openApiProblems } from "../../settings/openapi/validate";
import { podsOf, restrictedProblems } from "./pods";
import { at, deployStack, objectsOf } from "./stack";

const ADDRESS = "team.a1b2.tmprl.cloud:7233";
const API_KEY = "an-api-key";

const deployed = (temporal: Values) =>
  deployStack("prod", {
    changes: {
      "temporal-stack:temporal": {
        mode: "external",
        address: ADDRESS,
        namespace: "team.a1b2",
        network: { cidrs: ["192.0.2.0/24"] },
        ...temporal,
      },
      "temporal-stack:postgres": undefined,
    },
  });

/** Egress of the workers to the server: peers and ports. */
function wayOut(deployment: Deployment): unknown {
  const policy = objectsOf(deployment, "NetworkPolicy").find(({ registration }) =>
    registration.name.includes("workers-frontend"),
  );
  return at(policy?.inputs, "spec", "egress", 0);
}

describe("temporal.mode external", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-test-"));
  let pair: { certificate: string; privateKey: string };

  before(() => {
    const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "30",
      ].concat(["-subj", "/CN=workers", "-keyout", key, "-out", certificate]),
      { stdio: "ignore" },
    );
    pair = { certificate: readFileSync(certificate, "utf8"), privateKey: readFileSync(key, "utf8") };
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  /** What a stack is given, the Secrets that exist, and the content of the files that its commands connect with. */
  const credentials = (): Readonly<
    Record<string, { temporal: Values; secrets?: Record<string, Record<string, string>>; files: Values }>
  > => ({
    "an API key": {
      temporal: { apiKey: API_KEY },
      files: { TEMPORAL_API_KEY_PATH: API_KEY },
    },
    "an API key in a Secret": {
      temporal: { apiKeySecret: { name: "cloud", key: "token" } },
      secrets: { cloud: { token: API_KEY, other: "untouched" } },
      files: { TEMPORAL_API_KEY_PATH: API_KEY },
    },
    mTLS: {
      temporal: { tls: { ca: pair.certificate, client: pair } },
      files: {
        TEMPORAL_TLS_SERVER_CA_CERT_PATH: pair.certificate,
        TEMPORAL_TLS_CLIENT_CERT_PATH: pair.certificate,
        TEMPORAL_TLS_CLIENT_KEY_PATH: pair.privateKey,
      },
    },
    "mTLS in a Secret": {
      temporal: {
        tls: {
          secret: {
            name: "client",
            caKey: "ca.crt",
            certificateKey: "tls.crt",
            privateKeyKey: "tls.key",
          },
        },
      },
      secrets: { client: { "ca.crt": "authority", "tls.crt": "certificate", "tls.key": "key" } },
      files: {
        TEMPORAL_TLS_SERVER_CA_CERT_PATH: "authority",
        TEMPORAL_TLS_CLIENT_CERT_PATH: "certificate",
        TEMPORAL_TLS_CLIENT_KEY_PATH: "key",
      },
    },
    "an API key beside an authority of its own": {
      temporal: {
        tls: { ca: pair.certificate },
        apiKeySecret: { name: "cloud", key: "token" },
      },
      secrets: { cloud: { token: API_KEY } },
      files: { TEMPORAL_TLS_SERVER_CA_CERT_PATH: pair.certificate, TEMPORAL_API_KEY_PATH: API_KEY },
    },
    "no credentials": { temporal: {}, files: {} },
  });

  for (const name of [
    "an API key",
    "an API key in a Secret",
    "mTLS",
    "mTLS in a Secret",
    "an API key beside an authority of its own",
    "no credentials",
  ]) {
    it(`gives workers and the commands that stand in for them ${name}`, async () => {
      const { temporal, secrets = {}, files } = credentials()[name] ?? { temporal: {}, files: {} };
      const deployment = await deployed(temporal);
      assert.deepEqual(
        objectsOf(deployment).flatMap(({ inputs }) => openApiProblems(inputs)),
        [],
      );
      for (const pod of podsOf(deployment)) assert.deepEqual(restrictedProblems(pod), [], pod.name);
      const open = objectsOf(deployment)
        .filter(({ kind }) => kind !== "Secret")
        .map(({ inputs }) => JSON.stringify(inputs));
      for (const secret of [API_KEY, pair.privateKey]) {
        assert.ok(!open.some((text) => text.includes(JSON.stringify(secret).slice(1, -1))), "in the clear");
      }

      const { server, config } = await serveObjects(deployment, secrets);
      const own = mkdtempSync(join(folder, "connection-"));
      try {
        const [group] = outputsSchema.parse(deployment.outputs).workers;
        assert.ok(group);
        const environment = await workerConnection(config, group, own);
        assert.equal(environment["TEMPORAL_ADDRESS"], ADDRESS);
        assert.equal(environment["TEMPORAL_TLS"], String(name !== "no credentials"));
        const found = Object.entries(environment).filter(([variable]) => variable.endsWith("_PATH"));
        assert.deepEqual(
          Object.fromEntries(found.map(([variable, path]) => [variable, readFileSync(path, "utf8")])),
          files,
        );
        for (const [, path] of found) assert.equal(statSync(path).mode & 0o077, 0, path);
      } finally {
        server.close();
      }
    });
  }

  it("says which file no Secret holds", async () => {
    const deployment = await deployed({ apiKeySecret: { name: "cloud", key: "token" } });
    const { server, config } = await serveObjects(deployment, { cloud: { other: "key" } });
    try {
      const [group] = outputsSchema.parse(deployment.outputs).workers;
      assert.ok(group);
      await assert.rejects(
        workerConnection(config, group, mkdtempSync(join(folder, "connection-"))),
        /TEMPORAL_API_KEY_PATH of deployment .* names .*api-key, which no volume with Secrets or ConfigMaps holds/,
      );
    } finally {
      server.close();
    }
  });

  describe("behind a proxy", () => {
    const proxy = { address: "proxy.example.com:3128", network: { cidrs: ["198.51.100.7/32"] } };

    it("has workers reach the proxy, and nothing else of the world", async () => {
      const deployment = await deployed({ proxy });
      const config = objectsOf(deployment, "ConfigMap").find(({ registration }) =>
        registration.name.startsWith("worker-"),
      );
      assert.equal(at(config?.inputs, "data", "TEMPORAL_PROXY_ADDRESS"), proxy.address);
      assert.deepEqual(wayOut(deployment), {
        to: [{ ipBlock: { cidr: "198.51.100.7/32" } }],
        ports: [{ port: 3128, protocol: "TCP" }],
      });
      const all = JSON.stringify(objectsOf(deployment, "NetworkPolicy").map(({ inputs }) => inputs));
      assert.ok(!all.includes("192.0.2.0/24"));
    });

    it("is not the way of the commands, which run elsewhere", async () => {
      const deployment = await deployed({ proxy });
      const { server, config } = await serveObjects(deployment);
      try {
        const [group] = outputsSchema.parse(deployment.outputs).workers;
        assert.ok(group);
        const environment = await workerConnection(config, group, mkdtempSync(join(folder, "connection-")));
        assert.equal(environment["TEMPORAL_PROXY_ADDRESS"], undefined);
        assert.equal(environment["TEMPORAL_ADDRESS"], ADDRESS);
      } finally {
        server.close();
      }
    });

    it("is refused as an environment variable that the SDK does not read", () => {
      const external = {
        mode: "external",
        address: ADDRESS,
        namespace: "team.a1b2",
        network: { cidrs: ["192.0.2.0/24"] },
      };
      const workers = [
        {
          name: "orders",
          taskQueues: ["orders"],
          env: { HTTPS_PROXY: "http://proxy.example.com:3128", NO_PROXY: "10.0.0.0/8" },
        },
      ];
      const message = refusal({ ...LEAST, temporal: external, workers });
      assert.match(message, /^1 problem/);
      assert.match(message, /workers\[0\]\.env\.HTTPS_PROXY .*set temporal\.proxy/);
      assert.ok(!message.includes("3128"));
    });
  });

  it("lets workers through to the server itself without one", async () => {
    assert.deepEqual(wayOut(await deployed({})), {
      to: [{ ipBlock: { cidr: "192.0.2.0/24" } }],
      ports: [{ port: 7233, protocol: "TCP" }],
    });
  });
});
