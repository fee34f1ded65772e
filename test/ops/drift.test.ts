import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { LiveObjects } from "../../ops/drift/live";
import { deployedRelease, manifestObjects } from "../../ops/drift/release";
import { evaluateRunning } from "../../ops/drift/policies";
import { type DriftReport, exitCodeOf, render } from "../../ops/drift/driftReport";
import { releasesDrift, together } from "../../ops/drift/detectDrift";
import { foreignFields, knownManagers } from "../../ops/drift/ownership";
import { compare, resourcesDrift, stackObjects } from "../../ops/drift/resources";
import { removal } from "../../ops/drift/wayBack";
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
  "/api/v1": resourceList([
    ["configmaps", "ConfigMap", true],
    ["pods", "Pod", true],
  ]),
  "/apis/networking.k8s.io/v1": resourceList([["networkpolicies", "NetworkPolicy", true]]),
  "/apis/apps/v1": resourceList([["deployments", "Deployment", true]]),
  "/apis/rbac.authorization.k8s.io/v1": resourceList([["clusterroles", "ClusterRole", false]]),
};
/**
 * What a Pulumi program declared, and what an API server held after `kubectl scale`, `set env`, `set image`, `annotate`,
 * `patch` and `rollout restart`.
 */
const recorded = (name: string): object =>
  z
    .record(z.string(), z.unknown())
    .parse(JSON.parse(readFileSync(join(__dirname, "drifted", `${name}.json`), "utf8")));
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

/** Answers what a test lays down, and nothing else. */
class ApiServer {
  answers: Record<string, object> = {};
  readonly config = new KubeConfig();
  private readonly server: Server = createServer((request, response) => {
    const answer = this.answers[request.url ?? ""];
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? { kind: "Status", code: 404 }));
  });

  async start(): Promise<void> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    const { port } = this.server.address() as AddressInfo;
    const cluster = { name: "test", server: `http://127.0.0.1:${port}`, skipTLSVerify: true };
    this.config.loadFromClusterAndUser(cluster, { name: "test" });
  }

  stop(): void {
    this.server.close();
  }
}

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
    const server = new ApiServer();
    before(() => server.start());
    after(() => server.stop());
    beforeEach(() => {
      server.answers = {
        ...DISCOVERY,
        ...LIVE,
        [AUTOSCALERS]: { items: [] },
        [SECRETS]: { items: [helmSecret(2, MANIFEST), helmSecret(1, "")] },
      };
    });

    const drift = () => releasesDrift(server.config, [RELEASE], () => undefined);

    it("reads the newest revision that is deployed", async () => {
      const { revision, objects } = await deployedRelease(server.config, RELEASE);
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
      server.answers[path] = {
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
      assert.deepEqual(await new LiveObjects(server.config).read(manifest), server.answers[path]);
    });

    it("finds what is changed and what is gone", async () => {
      server.answers["/apis/apps/v1/namespaces/temporal/deployments/temporal-frontend"] = live((text) =>
        text.replace('"replicas":3,"rev', '"replicas":1,"rev'),
      );
      Reflect.deleteProperty(server.answers, "/api/v1/namespaces/temporal/configmaps/temporal-config");
      const { drifted, unknowns } = await drift();
      assert.deepEqual(unknowns, []);
      assert.deepEqual(
        drifted.map(({ kind, gone, changes }) => [kind, gone, changes.map(({ path }) => path)]),
        [
          ["Deployment", false, ["spec.replicas"]],
          ["ConfigMap", true, []],
        ],
      );
    });

    it("says what it may not read, or finds no revision of", async () => {
      server.answers[SECRETS] = { items: [] };
      assert.match((await drift()).unknowns.join(), /no revision of release temporal\/temporal is deployed/);
      Reflect.deleteProperty(server.answers, SECRETS);
      assert.match((await drift()).unknowns.join(), /release temporal\/temporal: the API server answers 404/);
    });
  });

  describe("of what runs from policies", () => {
    const server = new ApiServer();
    before(() => server.start());
    after(() => server.stop());

    /** As the server lists them: what kind they are stands at the list alone. */
    const pod = (name: string, labels: object, phase = "Running", owner?: string) => ({
      metadata: {
        name,
        namespace: "temporal",
        labels,
        ...(owner === undefined
          ? {}
          : { ownerReferences: [{ kind: "ReplicaSet", name: owner, controller: true }] }),
      },
      spec: { containers: [{ name: "shell", image: "busybox" }] },
      status: { phase },
    });
    const policy = (name: string, podSelector: object, more: object = {}) => ({
      metadata: { name, namespace: "temporal", labels: { "app.kubernetes.io/managed-by": "pulumi" } },
      spec: { podSelector, policyTypes: ["Ingress", "Egress"], ...more },
    });
    const serve = (pods: readonly object[], policies: readonly object[]): void => {
      server.answers = {
        ...DISCOVERY,
        "/api/v1/namespaces/temporal/pods": { kind: "PodList", items: pods },
        "/apis/networking.k8s.io/v1/namespaces/temporal/networkpolicies": {
          kind: "NetworkPolicyList",
          items: policies,
        },
      };
    };
    const found = async (stack = "prod") => {
      const live = new LiveObjects(server.config);
      const { pods, findings } = await evaluateRunning(live, ["temporal"], { stack, today: "2026-11-26" });
      return {
        pods,
        findings: findings.map(({ policy: id, level, resource }) => `${level} ${id} ${resource}`),
      };
    };
    const FRONTEND = { app: "frontend" };

    it("is nothing where a policy selects every pod, whatever else its makers were judged for", async () => {
      serve([pod("frontend-1", FRONTEND, "Running", "frontend")], [policy("deny", {})]);
      assert.deepEqual(await found(), { pods: 1, findings: [] });
    });

    it("is a pod that no policy selects, whoever has made it", async () => {
      serve(
        [
          pod("frontend-1", FRONTEND, "Running", "frontend"),
          pod("other-1", { app: "other" }, "Pending", "other"),
        ],
        [policy("frontend", { matchLabels: FRONTEND })],
      );
      const { pods, findings } = await found();
      assert.equal(pods, 2);
      assert.deepEqual(findings, ["mandatory network-policy-coverage Pod temporal/other-1"]);
      assert.deepEqual((await found("dev")).findings, [
        "advisory network-policy-coverage Pod temporal/other-1",
      ]);
    });

    it("is no pod that has ended", async () => {
      serve([pod("done", {}, "Succeeded", "job"), pod("lost", {}, "Failed", "job")], []);
      assert.deepEqual(await found(), { pods: 0, findings: [] });
    });

    it("is what somebody has started by hand, and a policy that lets everybody in", async () => {
      const stray = policy("stray", {}, { ingress: [{ from: [] }] });
      serve(
        [pod("shell", {})],
        [policy("deny", {}), { ...stray, metadata: { ...stray.metadata, labels: {} } }],
      );
      const { findings } = await found();
      for (const expected of [
        "mandatory non-root Pod temporal/shell",
        "mandatory image-tag Pod temporal/shell",
        "mandatory network-policy-peers NetworkPolicy temporal/stray",
      ]) {
        assert.ok(findings.includes(expected), `${expected}\n${findings.join("\n")}`);
      }
      assert.ok(
        !findings.some((text) => text.endsWith("/deny") || text.includes("coverage")),
        findings.join(),
      );
    });

    it("is not known where it may not be read", async () => {
      server.answers = DISCOVERY;
      await assert.rejects(found(), /404/);
    });
  });

  describe("of the objects that the stack has declared, as an API server recorded who wrote what", () => {
    const server = new ApiServer();
    const { objects, managers } = stackObjects(recorded("state"));
    const WORKER = "/apis/apps/v1/namespaces/workers/deployments/worker";
    const CONFIG = "/api/v1/namespaces/workers/configmaps/config";
    const SCALED = "/apis/autoscaling/v2/namespaces/workers/horizontalpodautoscalers";
    before(() => server.start());
    after(() => server.stop());
    beforeEach(() => {
      server.answers = {
        ...DISCOVERY,
        "/api/v1": resourceList([
          ["configmaps", "ConfigMap", true],
          ["namespaces", "Namespace", false],
        ]),
        "/api/v1/namespaces/workers": recorded("namespace"),
        [CONFIG]: recorded("config"),
        [WORKER]: recorded("deployment"),
        [SCALED]: { items: [] },
      };
    });
    const drift = (...accepted: string[]) =>
      resourcesDrift(new LiveObjects(server.config), objects, knownManagers([...managers, ...accepted]));
    const linesOf = ({ drifted }: Awaited<ReturnType<typeof drift>>) =>
      drifted.flatMap(({ name, changes }) =>
        changes.map(({ path, old = "", new: next = "" }) => `${name} ${path}: ${old} -> ${next}`),
      );

    it("is what kubectl changed and what it added, and no note of its own", async () => {
      const found = await drift();
      assert.equal(found.compared, 3);
      assert.deepEqual(found.unknowns, []);
      assert.deepEqual(linesOf(found), [
        "worker spec.replicas: 2 -> 5",
        "worker spec.template.spec.containers[worker].image: registry/worker:1 -> registry/worker:2",
        "worker metadata.annotations.team:  -> blue",
        "worker spec.template.spec.containers[worker].env[DEBUG]:  -> name: DEBUG, value: 1",
        "config data.level: info -> debug",
        "config data.more:  -> 1",
      ]);
    });

    it("names who has written what", async () => {
      const { drifted } = await drift();
      assert.deepEqual(
        drifted.map(({ writers }) => writers),
        [
          {
            kubectl: ["spec.replicas"],
            "kubectl-annotate": ["metadata.annotations.team"],
            "kubectl-set": [
              "spec.template.spec.containers[worker].env[DEBUG]",
              "spec.template.spec.containers[worker].image",
            ],
          },
          { "kubectl-patch": ["data.level", "data.more"] },
        ],
      );
    });

    it("is no addition of a manager that is accepted, but a change of one", async () => {
      const found = await drift("kubectl-annotate", "kubectl-set", "kubectl-patch");
      assert.deepEqual(linesOf(found), [
        "worker spec.replicas: 2 -> 5",
        "worker spec.template.spec.containers[worker].image: registry/worker:1 -> registry/worker:2",
        "config data.level: info -> debug",
      ]);
    });

    it("is no reservation of a namespace by npm run deployer", () => {
      const labels = { "f:temporal-stack/reserved-for": {}, "f:team": {} };
      const found = {
        metadata: {
          name: "temporal",
          labels: { "temporal-stack/reserved-for": "prod", team: "a" },
          managedFields: [{ manager: "kubectl", fieldsV1: { "f:metadata": { "f:labels": labels } } }],
        },
      };
      const added = foreignFields({ metadata: { name: "temporal" } }, found, knownManagers([]));
      assert.deepEqual(
        added.map(({ path }) => path),
        ["metadata.labels.team"],
      );
    });

    it("is no scale of an autoscaler", async () => {
      server.answers[SCALED] = {
        items: [{ spec: { scaleTargetRef: { kind: "Deployment", name: "worker" } } }],
      };
      assert.ok(!linesOf(await drift()).some((line) => line.includes("replicas")));
    });

    it("is an object that is gone, and one that may not be read stops no other", async () => {
      Reflect.deleteProperty(server.answers, CONFIG);
      Reflect.deleteProperty(server.answers, SCALED);
      const { compared, drifted, unknowns } = await drift();
      assert.equal(compared, 2);
      assert.deepEqual(
        drifted.map(({ name, gone }) => [name, gone]),
        [["config", true]],
      );
      assert.match(unknowns.join(), /^Deployment workers\/worker: the API server answers 404/);
    });

    it("is taken out by one command for each object, from the end of each list", () => {
      const applied = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "a", namespace: "b" } };
      const env = { 'k:{"name":"X"}': { ".": {} }, 'k:{"name":"it\'s"}': { ".": {} } };
      const found = {
        metadata: { managedFields: [{ manager: "kubectl-set", fieldsV1: { "f:spec": { "f:env": env } } }] },
        spec: { env: [{ name: "X" }, { name: "A" }, { name: "it's" }] },
      };
      const { additions } = compare(applied, found, knownManagers([]));
      assert.equal(
        removal(applied, additions),
        `kubectl patch deployment.v1.apps/a -n b --type=json -p '[` +
          `{"op":"test","path":"/spec/env/2/name","value":"it'\\''s"},{"op":"remove","path":"/spec/env/2"},` +
          `{"op":"test","path":"/spec/env/0/name","value":"X"},{"op":"remove","path":"/spec/env/0"}]'`,
      );
    });

    it("shows no value of a Secret that somebody added, and leaves encrypted values to the engine", () => {
      const secret = {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "s", namespace: "workers" },
        data: { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:x" },
      };
      const found = {
        ...secret,
        metadata: {
          ...secret.metadata,
          managedFields: [{ manager: "kubectl-edit", fieldsV1: { "f:data": { "f:more": {} } } }],
        },
        data: { key: "aHVudGVyMg==", more: "aHVudGVyMg==" },
      };
      const { changes } = compare(secret, found, knownManagers([]));
      assert.deepEqual(changes, [{ path: "data.more", old: undefined, new: "(secret)", replaces: false }]);
      const urn = "urn:s";
      const drifted = { urn, type: "t", name: "s", object: "workers/s", gone: false, changes };
      const seen = { path: "data.key", old: "(secret)", new: "(secret)", replaces: false };
      const both = together(
        [{ ...drifted, manifest: secret, additions: [], writers: {} }],
        [{ ...drifted, changes: [seen, { ...seen, path: "type", old: "a", new: "b" }] }],
      );
      assert.deepEqual(
        both.map((resource) => resource.changes.map(({ path }) => path)),
        [["data.more", "data.key"]],
      );
    });

    const reportOf = (driftedResources: DriftReport["driftedResources"]) =>
      render({
        ...{ stack: "prod", source: "s", resources: 3, objects: 0, driftedObjects: [], pending: [] },
        ...{ driftedResources, policies: { pods: 0, findings: [], excepted: [] }, unknowns: [] },
      }).split("\n");
    const UPDATE = "    PULUMI_K8S_ENABLE_PATCH_FORCE=true pulumi up --refresh -s prod";

    it("is put back by an update that passes over conflicts, with what kubectl added to what it changes", async () => {
      const lines = reportOf((await drift()).drifted);
      for (const line of [
        "  Deployment worker (workers/worker)",
        "    -   spec.replicas: 2",
        "    +   spec.replicas: 5",
        "      written by kubectl: spec.replicas",
        UPDATE,
      ]) {
        assert.ok(lines.includes(line), `${line}\n${lines.join("\n")}`);
      }
      assert.ok(!lines.some((line) => line.includes("kubectl patch")), lines.join("\n"));
    });

    it("is taken out by kubectl where an update changes nothing", async () => {
      const text = JSON.stringify(recorded("config")).replace('"debug"', '"info"');
      server.answers[CONFIG] = z.record(z.string(), z.unknown()).parse(JSON.parse(text));
      const { drifted } = await drift();
      const lines = reportOf(drifted.filter(({ name }) => name === "config"));
      const command = `kubectl patch configmap/config -n workers --type=json -p '[{"op":"remove","path":"/data/more"}]'`;
      assert.ok(lines.includes(`    ${command}`), lines.join("\n"));
      assert.ok(!lines.includes(UPDATE), lines.join("\n"));
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
      policies: { pods: 12, findings: [], excepted: [] },
      unknowns: [],
    };
    const finding = {
      policy: "network-policy-coverage",
      level: "mandatory",
      resource: "Pod temporal/stray",
      problem: "no policy selects it for Ingress",
      reason: "why",
      fix: "close it",
    } as const;
    const object = {
      ...{
        release: RELEASE,
        kind: "Deployment",
        namespace: "temporal",
        name: "temporal-frontend",
        gone: false,
      },
      manifest: { apiVersion: "apps/v1", kind: "Deployment" },
      changes: [{ path: "spec.replicas", old: "3", new: "2", replaces: false }],
      additions: [],
      writers: {},
    };

    it("ends with 0 without drift, 2 with it, 1 if not everything could be compared", () => {
      assert.equal(exitCodeOf(empty), 0);
      assert.equal(exitCodeOf({ ...empty, unknowns: ["why"] }), 1);
      assert.equal(exitCodeOf({ ...empty, driftedObjects: [object], unknowns: ["why"] }), 2);
    });

    it("ends with 3 if a mandatory policy is broken, and as before if policies only advise", () => {
      const judged = (level: "mandatory" | "advisory") => ({
        ...empty,
        policies: { ...empty.policies, findings: [{ ...finding, level }] },
      });
      assert.equal(exitCodeOf({ ...judged("mandatory"), driftedObjects: [object], unknowns: ["why"] }), 3);
      assert.equal(exitCodeOf(judged("advisory")), 0);
    });

    it("names the pod, the policy and what to do", () => {
      const exception = {
        policy: finding.policy,
        resource: "r",
        reason: "soon",
        owner: "ann",
        expires: "2027-01-31",
      };
      assert.equal(
        render({
          ...empty,
          policies: { pods: 12, findings: [finding], excepted: [{ ...finding, exception }] },
        }),
        [
          "stack prod (file:///backend): no drift found; compared 67 resources and 40 objects of Helm releases; policies: 1 found in 12 running pods",
          "",
          "Policies that what runs breaks",
          "  mandatory network-policy-coverage: Pod temporal/stray: no policy selects it for Ingress",
          "    to do: close it",
          "",
          "Excepted from policies",
          "  network-policy-coverage: Pod temporal/stray: no policy selects it for Ingress (until 2027-01-31, ann: soon)",
        ].join("\n"),
      );
    });

    it("names object, field, what was deployed and what is found", () => {
      assert.equal(
        render({ ...empty, driftedObjects: [object], unknowns: ["release a/b: forbidden"] }),
        [
          "stack prod (file:///backend): 1 drifted; compared 67 resources and 40 objects of Helm releases; policies: nothing found in 12 running pods",
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
