import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  lookUpNamespace,
  lookUpObject,
  lookUpResourceTypes,
  lookUpStorageClasses,
} from "../../components/clusterLookup";

const storageClass = (name: string, isDefault = "false") => ({
  metadata: { name, annotations: { "storageclass.kubernetes.io/is-default-class": isDefault } },
});

describe("look-up in the cluster", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-lookup-"));
  const outside = process.env["KUBECONFIG"];
  const answers: Readonly<Record<string, [status: number, body: object]>> = {
    "/api/v1/namespaces/ours": [200, { metadata: { labels: { "temporal-stack/stack": "prod" } } }],
    "/api/v1/namespaces/bare": [200, { metadata: {} }],
    "/api/v1/namespaces/none": [404, { reason: "NotFound" }],
    "/api/v1/namespaces/closed": [403, { reason: "Forbidden" }],
    "/api/v1/namespaces/ours/secrets/stripe": [200, { data: { "api-key": "aHVudGVyMg==" } }],
    "/api/v1/namespaces/ours/secrets/empty": [200, {}],
    "/api/v1/namespaces/ours/secrets/none": [404, { reason: "NotFound" }],
    "/api/v1/namespaces/ours/secrets/closed": [403, { reason: "Forbidden" }],
    "/api/v1/namespaces/none/secrets/stripe": [404, { reason: "NotFound" }],
    "/api/v1/namespaces/ours/configmaps/flags": [
      200,
      { data: { dark: "true" }, binaryData: { truststore: "AA==" } },
    ],
    "/api/v1/namespaces/ours/serviceaccounts/made": [
      200,
      { metadata: { labels: { "temporal-stack/stack": "prod" } } },
    ],
    "/apis/monitoring.coreos.com/v1": [
      200,
      { groupVersion: "monitoring.coreos.com/v1", resources: [{ name: "podmonitors" }] },
    ],
    "/apis/monitoring.coreos.com/v2": [404, { reason: "NotFound" }],
    "/apis/storage.k8s.io/v1/storageclasses": [
      200,
      { items: [storageClass("slow"), storageClass("fast", "true")] },
    ],
  };
  const server = createServer(({ url = "" }, response) => {
    const [status, body] = answers[url] ?? [500, {}];
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  const settings = { kubernetes: { context: "test" } };

  const point = (port: number) => {
    const file = join(folder, "kubeconfig");
    const contexts = ["other", "test"].map((name) => ({ name, context: { cluster: name, user: "test" } }));
    const clusters = ["other", "test"].map((name) => ({
      name,
      // The client takes plain HTTP only where certificates are not verified.
      cluster: {
        server: `http://127.0.0.1:${name === "test" ? port : 1}`,
        "insecure-skip-tls-verify": true,
      },
    }));
    const users = [{ name: "test", user: { token: "test" } }];
    const config = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "other",
      contexts,
      clusters,
      users,
    };
    writeFileSync(file, JSON.stringify(config));
    process.env["KUBECONFIG"] = file;
  };

  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    point((server.address() as AddressInfo).port);
  });

  after(() => {
    server.close();
    if (outside === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = outside;
    rmSync(folder, { recursive: true });
  });

  it("says whose a namespace is, by its labels", async () => {
    assert.deepEqual(await lookUpNamespace(settings, "ours"), {
      found: "namespace",
      labels: { "temporal-stack/stack": "prod" },
    });
    assert.deepEqual(await lookUpNamespace(settings, "bare"), { found: "namespace", labels: {} });
    assert.deepEqual(await lookUpNamespace(settings, "none"), { found: "none" });
  });

  it("says which resource types an API group has", async () => {
    const types = (version: string) => lookUpResourceTypes(settings, "monitoring.coreos.com", version);
    assert.deepEqual(await types("v1"), { found: "types", plurals: ["podmonitors"] });
    assert.deepEqual(await types("v2"), { found: "none" });
    assert.equal((await types("v3")).found, "unknown");
  });

  it("says which keys a Secret or ConfigMap has and which stack made an object, and nothing of what is in it", async () => {
    const secret = (name: string, namespace = "ours") =>
      lookUpObject(settings, namespace, { kind: "Secret", name });
    assert.deepEqual(await secret("stripe"), { found: "object", keys: ["api-key"], stack: undefined });
    assert.deepEqual(await secret("empty"), { found: "object", keys: [], stack: undefined });
    assert.deepEqual(await secret("none"), { found: "none" });
    assert.deepEqual(await secret("stripe", "none"), { found: "no-namespace" });
    assert.equal((await secret("closed")).found, "unknown");
    assert.deepEqual(await lookUpObject(settings, "ours", { kind: "ConfigMap", name: "flags" }), {
      found: "object",
      keys: ["dark", "truststore"],
      stack: undefined,
    });
    assert.deepEqual(await lookUpObject(settings, "ours", { kind: "ServiceAccount", name: "made" }), {
      found: "object",
      keys: [],
      stack: "prod",
    });
  });

  it("says which storage classes there are, and whether one is the default", async () => {
    assert.deepEqual(await lookUpStorageClasses(settings), {
      found: "classes",
      names: ["slow", "fast"],
      hasDefault: true,
    });
  });

  it("does not fail for a kubeconfig that is none", async () => {
    const { KUBECONFIG: file = "" } = process.env;
    for (const text of [
      "a: 1\na: 2",
      "contexts: [{ name: test, context: {} }]\nclusters: [{ name: test }]",
    ]) {
      writeFileSync(file, text);
      assert.equal((await lookUpNamespace(settings, "ours")).found, "unknown", text);
    }
    point((server.address() as AddressInfo).port);
  });

  it("does not take a refusal or a silent cluster for an absent namespace", async () => {
    const closed = await lookUpNamespace(settings, "closed");
    assert.deepEqual(closed, { found: "unknown", reason: "the API server answers 403" });
    point(1);
    const silent = await lookUpNamespace(settings, "ours");
    assert.ok(silent.found === "unknown" && silent.reason.includes("ECONNREFUSED"), JSON.stringify(silent));
    assert.equal((await lookUpStorageClasses(settings)).found, "unknown");
  });
});
