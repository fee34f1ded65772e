import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { KubeConfig } from "@kubernetes/client-node";
import { LiveObjects } from "../../ops/drift/live";
import { deployedRelease, manifestObjects } from "../../ops/drift/release";
import { type DriftReport, exitCodeOf, render } from "../../ops/drift/report";
import { releasesDrift } from "../../ops/drift/run";
import { differences, type ObjectManifest } from "../../ops/drift/subset";
import { PlanReader } from "../../ops/report/plan";

/** As a chart renders it. */
const MANIFEST = `---
# Source: temporal/templates/server.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: temporal-frontend
  labels: { app: temporal, "helm.sh/chart": temporal-1.6.0 }
  annotations:
spec:
  replicas: 3
  template:
    spec:
      containers:
        - name: frontend
          image: temporalio/server:1.31.2
          resources: { limits: { memory: 1024Mi, cpu: 0.5 } }
          env:
            - { name: SERVICES, value: frontend }
            - { name: EMPTY, value: "" }
          ports: [{ name: rpc, containerPort: 7233 }]
          volumeMounts:
            - { name: config, mountPath: /etc/temporal/config }
            - { name: config, mountPath: /etc/temporal/dynamic, readOnly: false }
          args: [--allow-no-auth, --port, "7233"]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: temporal-config }
data: { config.yaml: "shards: 512\\n" }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: temporal }
rules: []
---
`;

/** As the API server keeps it: with its defaults, its own spelling, and what others have added. */
const LIVE: Readonly<Record<string, object>> = {
  "/apis/apps/v1/namespaces/temporal/deployments/temporal-frontend": {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: "temporal-frontend",
      namespace: "temporal",
      uid: "1",
      generation: 4,
      labels: { app: "temporal", "helm.sh/chart": "temporal-1.6.0", "app.kubernetes.io/managed-by": "Helm" },
      annotations: { "meta.helm.sh/release-name": "temporal", "deployment.kubernetes.io/revision": "2" },
    },
    spec: {
      replicas: 3,
      revisionHistoryLimit: 10,
      template: {
        spec: {
          restartPolicy: "Always",
          containers: [
            { name: "sidecar", image: "injected" },
            {
              name: "frontend",
              image: "temporalio/server:1.31.2",
              imagePullPolicy: "IfNotPresent",
              resources: { limits: { cpu: "500m", memory: "1Gi" } },
              env: [
                { name: "INJECTED", value: "1" },
                { name: "EMPTY" },
                { name: "SERVICES", value: "frontend" },
              ],
              ports: [{ name: "rpc", containerPort: 7233, protocol: "TCP" }],
              volumeMounts: [
                { name: "config", mountPath: "/etc/temporal/dynamic" },
                { name: "config", mountPath: "/etc/temporal/config" },
              ],
              args: ["--allow-no-auth", "--port", "7233"],
            },
          ],
        },
      },
    },
    status: { replicas: 3 },
  },
  "/api/v1/namespaces/temporal/configmaps/temporal-config": {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "temporal-config", namespace: "temporal" },
    data: { "config.yaml": "shards: 512\n" },
  },
  "/apis/rbac.authorization.k8s.io/v1/clusterroles/temporal": {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "temporal" },
    rules: null,
  },
};

const resourceList = (resources: readonly [name: string, kind: string, namespaced: boolean][]) => ({
  kind: "APIResourceList",
  resources: resources.map(([name, kind, namespaced]) => ({ name, kind, namespaced })),
});
const DISCOVERY: Readonly<Record<string, object>> = {
  "/api/v1": resourceList([["configmaps", "ConfigMap", true]]),
  "/apis/apps/v1": resourceList([["deployments", "Deployment", true]]),
  "/apis/rbac.authorization.k8s.io/v1": resourceList([["clusterroles", "ClusterRole", false]]),
};
const AUTOSCALERS = "/apis/autoscaling/v2/namespaces/temporal/horizontalpodautoscalers";
const SECRETS =
  "/api/v1/namespaces/temporal/secrets?labelSelector=owner%3Dhelm%2Cname%3Dtemporal%2Cstatus%3Ddeployed";
const RELEASE = { urn: "urn", namespace: "temporal", name: "temporal" };

/** A Secret as Helm writes it. */
function helmSecret(version: number, manifest: string): object {
  const record = gzipSync(JSON.stringify({ name: "temporal", version, manifest, hooks: [], info: {} }));
  const data = { release: Buffer.from(record.toString("base64")).toString("base64") };
  return { metadata: { name: `sh.helm.release.v1.temporal.v${version}` }, data };
}

const deployment = (manifest = MANIFEST): ObjectManifest => {
  const [first] = manifestObjects(manifest, "temporal");
  assert.ok(first);
  return first;
};
const live = (change: (text: string) => string = (text) => text): Record<string, unknown> =>
  JSON.parse(change(JSON.stringify(Object.values(LIVE)[0]))) as Record<string, unknown>;

describe("drift", () => {
  describe("of an object", () => {
    it("is nothing that the server or others add, or spell otherwise", () => {
      assert.deepEqual(differences(deployment(), live()), []);
    });

    const drifts: readonly [what: string, change: (text: string) => string, path: string][] = [
      ["a scale", (text) => text.replace('"replicas":3,"rev', '"replicas":2,"rev'), "spec.replicas"],
      [
        "an image",
        (text) => text.replace("server:1.31.2", "server:1.31.1"),
        "spec.template.spec.containers[frontend].image",
      ],
      [
        "an environment",
        (text) => text.replace('"value":"frontend"', '"value":"other"'),
        "spec.template.spec.containers[frontend].env[SERVICES].value",
      ],
      [
        "a memory limit",
        (text) => text.replace('"1Gi"', '"2Gi"'),
        "spec.template.spec.containers[frontend].resources.limits.memory",
      ],
      [
        "arguments",
        (text) => text.replace(',"7233"]', ',"7233","--more"]'),
        "spec.template.spec.containers[frontend].args",
      ],
      ["a label", (text) => text.replace('"app":"temporal",', ""), "metadata.labels.app"],
      [
        "a container",
        (text) => text.replace('"name":"frontend"', '"name":"renamed"'),
        "spec.template.spec.containers[frontend]",
      ],
    ];
    for (const [what, change, path] of drifts) {
      it(`is ${what}`, () => {
        const found = differences(deployment(), live(change));
        assert.deepEqual(
          found.map((difference) => difference.path),
          [path],
        );
      });
    }

    it("is no scale that an autoscaler owns", () => {
      const scaled = live((text) => text.replace('"replicas":3,"rev', '"replicas":9,"rev'));
      assert.deepEqual(differences(deployment(), scaled, ["spec.replicas"]), []);
    });

    it("shows no secret, also where the server keeps it otherwise", () => {
      const secret = (value: string) => ({
        apiVersion: "v1",
        kind: "Secret",
        stringData: { password: value },
      });
      const kept = {
        apiVersion: "v1",
        kind: "Secret",
        data: { password: Buffer.from("hunter2").toString("base64") },
      };
      assert.deepEqual(differences(secret("hunter2"), kept), []);
      const found = differences(secret("hunter1"), kept);
      assert.deepEqual(found, [{ path: "data.password", applied: "(secret)", found: "(secret)" }]);
    });
  });

  describe("of a release, by its Secret and the API server", () => {
    let server: Server;
    let config: KubeConfig;
    let answers: Record<string, object>;

    before(async () => {
      server = createServer((request, response) => {
        const answer = answers[request.url ?? ""];
        response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
        response.end(JSON.stringify(answer ?? { kind: "Status", code: 404 }));
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      config = new KubeConfig();
      const { port } = server.address() as AddressInfo;
      const cluster = { name: "test", server: `http://127.0.0.1:${port}`, skipTLSVerify: true };
      config.loadFromClusterAndUser(cluster, { name: "test" });
    });
    beforeEach(() => {
      answers = {
        ...DISCOVERY,
        ...LIVE,
        [AUTOSCALERS]: { items: [] },
        [SECRETS]: { items: [helmSecret(2, MANIFEST), helmSecret(1, "")] },
      };
    });
    after(() => server.close());

    const drift = () => releasesDrift(config, [RELEASE], () => undefined);

    it("reads the newest revision that is deployed", async () => {
      const { revision, objects } = await deployedRelease(config, RELEASE);
      assert.equal(revision, 2);
      assert.deepEqual(
        objects.map(({ kind }) => kind),
        ["Deployment", "ConfigMap", "ClusterRole"],
      );
    });

    it("finds none where there is none, in namespaces and beside them", async () => {
      assert.deepEqual(await drift(), { objects: 3, drifted: [], unknowns: [] });
    });

    it("keeps the fields of objects as they are called", async () => {
      const path = "/api/v1/namespaces/temporal/configmaps/odd";
      answers[path] = {
        apiVersion: "v1",
        kind: "ConfigMap",
        "x-kubernetes-odd": 1,
        metadata: { creationTimestamp: "2026-01-01T00:00:00Z" },
      };
      const manifest = {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "odd", namespace: "temporal" },
      };
      assert.deepEqual(await new LiveObjects(config).read(manifest), answers[path]);
    });

    it("finds what is changed and what is gone", async () => {
      answers["/apis/apps/v1/namespaces/temporal/deployments/temporal-frontend"] = live((text) =>
        text.replace('"replicas":3,"rev', '"replicas":1,"rev'),
      );
      Reflect.deleteProperty(answers, "/api/v1/namespaces/temporal/configmaps/temporal-config");
      const { drifted, unknowns } = await drift();
      assert.deepEqual(unknowns, []);
      assert.deepEqual(
        drifted.map(({ kind, gone, differences: found }) => [kind, gone, found.map(({ path }) => path)]),
        [
          ["Deployment", false, ["spec.replicas"]],
          ["ConfigMap", true, []],
        ],
      );
    });

    it("says what it may not read, or finds no revision of", async () => {
      answers[SECRETS] = { items: [] };
      assert.match((await drift()).unknowns.join(), /no revision of release temporal\/temporal is deployed/);
      Reflect.deleteProperty(answers, SECRETS);
      assert.match((await drift()).unknowns.join(), /release temporal\/temporal: the API server answers 404/);
    });
  });

  describe("of the stack's own resources", () => {
    /** What the engine tells of a resource that it has read back. */
    function refreshed(found: object | null, detailedDiff: object | null): string {
      const side = (inputs: object) => ({ custom: true, inputs });
      const type = "kubernetes:core/v1:ConfigMap";
      const metadata = {
        ...{ op: "refresh", urn: `urn:pulumi:prod::temporal-stack::${type}::config`, type, detailedDiff },
        old: side({ data: { level: "info" }, metadata: { name: "config", namespace: "workers" } }),
        new: found && side(found),
      };
      return JSON.stringify({ resOutputsEvent: { metadata } });
    }
    const planOf = (line: string) => {
      const reader = new PlanReader();
      reader.add(line);
      return reader.plan();
    };
    const same = { data: { level: "info" }, metadata: { name: "config", namespace: "workers" } };

    it("is a property that the program has set, and a resource that is gone", () => {
      const changed = refreshed(
        { ...same, data: { level: "debug" } },
        { "data.level": { diffKind: "update" } },
      );
      assert.deepEqual(planOf(changed).drifted[0]?.changes, [
        { path: "data.level", old: "info", new: "debug", replaces: false },
      ]);
      assert.equal(planOf(refreshed(null, null)).drifted[0]?.gone, true);
    });

    it("is nothing that a cluster changes by itself", () => {
      for (const diff of [
        null,
        {},
        { "metadata.resourceVersion": { diffKind: "update" }, status: { diffKind: "update" } },
      ]) {
        assert.deepEqual(planOf(refreshed(same, diff)).drifted, []);
      }
    });
  });

  describe("report", () => {
    const empty: DriftReport = {
      stack: "prod",
      source: "file:///backend",
      resources: 67,
      objects: 40,
      driftedResources: [],
      driftedObjects: [],
      pending: [],
      unknowns: [],
    };
    const object = {
      ...{
        release: RELEASE,
        kind: "Deployment",
        namespace: "temporal",
        name: "temporal-frontend",
        gone: false,
      },
      differences: [{ path: "spec.replicas", applied: "3", found: "2" }],
    };

    it("ends with 0 without drift, 2 with it, 1 if not everything could be compared", () => {
      assert.equal(exitCodeOf(empty), 0);
      assert.equal(exitCodeOf({ ...empty, unknowns: ["why"] }), 1);
      assert.equal(exitCodeOf({ ...empty, driftedObjects: [object], unknowns: ["why"] }), 2);
    });

    it("names object, field, what was deployed and what is found", () => {
      assert.equal(
        render({ ...empty, driftedObjects: [object], unknowns: ["release a/b: forbidden"] }),
        [
          "stack prod (file:///backend): 1 drifted; compared 67 resources and 40 objects of Helm releases",
          "",
          "Objects of Helm releases; - as deployed, + as found",
          "  Deployment temporal/temporal-frontend of release temporal/temporal",
          "    -   spec.replicas: 3",
          "    +   spec.replicas: 2",
          "",
          "Could not be compared",
          "  release a/b: forbidden",
        ].join("\n"),
      );
    });
  });
});
