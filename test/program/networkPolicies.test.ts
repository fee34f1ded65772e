import assert from "node:assert/strict";
import { selects, stackFlows } from "../../components/manifests/flows";
import { parseSettings } from "../../settings/settings";
import type { Deployment } from "../harness";
import { type Pod, podsOf } from "./pods";
import { at, deployStack, engineConfig, listAt, mappingAt, objectsOf, stackConfig, STACKS } from "./stack";
import type { Values } from "../harness";
import { connects, matches, type PodParty } from "../support/networkPolicyRules";

const STRANGERS: readonly PodParty[] = [
  { name: "dns", namespace: "kube-system", labels: { "k8s-app": "kube-dns" } },
  { name: "node-local-dns", namespace: "kube-system", labels: { "k8s-app": "node-local-dns" } },
  {
    name: "openshift-dns",
    namespace: "openshift-dns",
    labels: { "dns.operator.openshift.io/daemonset-dns": "default" },
  },
  { name: "system", namespace: "kube-system", labels: { "k8s-app": "other" } },
  { name: "stranger", namespace: "default", labels: { app: "stranger" } },
  {
    name: "impostor",
    namespace: "default",
    labels: { "app.kubernetes.io/name": "temporal-worker", "app.kubernetes.io/component": "worker" },
  },
];

/**
 * Allowed pairs beside DNS: a worker and the frontend, then the ring (4 roles, 3 peers, 4 ports), frontend
 * (3 roles, 2 ports), history and matching (3 roles each), two tools, two namespace jobs, 5 clients of two
 * Postgres pods, those among themselves and their operator (2 ports each).
 */
const CHART_PAIRS = 1 + 48 + 6 + 6 + 2 + 2 + 10 + 4 + 4;
const DNS_SERVERS = 3;
const PAIRS = { local: 1, dev: CHART_PAIRS, prod: CHART_PAIRS };

for (const stack of STACKS) {
  describe(`network policies of stack ${stack}`, () => {
    let deployment: Deployment;
    let policies: Values[];
    let pods: Pod[];
    const settings = parseSettings({
      stack,
      stackFile: `Pulumi.${stack}.yaml`,
      config: engineConfig(stackConfig(stack)),
      secretKeys: [],
    });

    before(async () => {
      deployment = await deployStack(stack);
      policies = objectsOf(deployment, "NetworkPolicy").map(({ inputs }) => inputs);
      pods = podsOf(deployment);
    });

    it("close every namespace in both directions", () => {
      for (const { inputs } of objectsOf(deployment, "Namespace")) {
        const closed = policies.some(
          (policy) =>
            at(policy, "metadata", "namespace") === at(inputs, "metadata", "name") &&
            Object.keys(mappingAt(policy, "spec", "podSelector")).length === 0 &&
            listAt(policy, "spec", "policyTypes").length === 2 &&
            at(policy, "spec", "ingress") === undefined &&
            at(policy, "spec", "egress") === undefined,
        );
        assert.ok(closed, String(at(inputs, "metadata", "name")));
      }
    });

    it("let exactly the listed flows through, and no other pair of pods on any port", () => {
      const parties: PodParty[] = [...pods, ...STRANGERS];
      const ports = new Set([
        53,
        80,
        5353,
        443,
        5432,
        7233,
        8080,
        8233,
        9464,
        ...pods.flatMap((pod) => pod.ports),
      ]);
      const flows = stackFlows(settings);
      const isOurs = (party: PodParty) => pods.some((pod) => pod === party);
      let allowed = 0;
      for (const from of parties) {
        for (const to of parties.filter((party) => party !== from && (isOurs(from) || isOurs(party)))) {
          for (const port of ports) {
            for (const protocol of ["TCP", "UDP"]) {
              const listed = flows.some(
                (flow) =>
                  flow.from.kind === "pods" &&
                  selects(flow.from, from) &&
                  flow.to.kind === "pods" &&
                  selects(flow.to, to) &&
                  flow.ports.some((item) => item.port === port && item.protocol === protocol),
              );
              const found = connects(policies, from, to, port, protocol);
              assert.equal(found, listed, `${from.name} -> ${to.name} ${protocol} ${String(port)}`);
              if (found) allowed += 1;
            }
          }
        }
      }
      assert.equal(allowed, pods.length * DNS_SERVERS * 2 + PAIRS[stack]);
    });

    it("reach pods that exist: every selector of the stack's own pods matches some", () => {
      for (const policy of policies) {
        const selector = at(policy, "spec", "podSelector");
        const namespace = at(policy, "metadata", "namespace");
        assert.ok(pods.some((pod) => pod.namespace === namespace && matches(selector, pod.labels)));
      }
    });
  });
}

describe("network policies on request", () => {
  it("open metrics and UI to the pods that settings name, and to nobody else", async () => {
    const monitoring = { namespace: "monitoring", podLabels: { app: "prometheus" } };
    const deployment = await deployStack("local", {
      changes: {
        "temporal-stack:networkAccess": { metricsFrom: [monitoring], uiFrom: [{ namespace: "ingress" }] },
      },
    });
    const policies = objectsOf(deployment, "NetworkPolicy").map(({ inputs }) => inputs);
    const prometheus: PodParty = {
      name: "prometheus",
      namespace: "monitoring",
      labels: { app: "prometheus" },
    };
    const ingress: PodParty = { name: "ingress", namespace: "ingress", labels: { app: "nginx" } };
    const [server, worker] = ["temporal-deployment", "worker-orders-deployment"].map((name) => {
      const pod = podsOf(deployment).find((candidate) => candidate.name === name);
      assert.ok(pod);
      return pod;
    });
    assert.ok(server && worker);
    assert.ok(connects(policies, prometheus, worker, 9464, "TCP"));
    assert.ok(!connects(policies, prometheus, worker, 8080, "TCP"));
    assert.ok(!connects(policies, { ...prometheus, labels: {} }, worker, 9464, "TCP"));
    assert.ok(connects(policies, ingress, server, 8233, "TCP"));
    assert.ok(!connects(policies, ingress, server, 7233, "TCP"));
  });

  it("let the operator care for the Postgres of every stack on the cluster, and for nobody else's", async () => {
    const key = "temporal-stack:postgres";
    const postgres = mappingAt(stackConfig("dev"), key);
    const [first, second] = await Promise.all([
      deployStack("prod"),
      deployStack("dev", {
        changes: {
          [key]: { ...postgres, operator: { install: false } },
          "temporal-stack:namespaces": { temporal: "second", workers: "second-workers" },
        },
      }),
    ]);
    const policies = [first, second].flatMap((deployment) =>
      objectsOf(deployment, "NetworkPolicy").map(({ inputs }) => inputs),
    );
    const operator: PodParty = {
      name: "operator",
      namespace: "cnpg-system",
      labels: { "app.kubernetes.io/name": "cloudnative-pg" },
    };
    const instance: PodParty = {
      name: "instance",
      namespace: "second",
      labels: { "cnpg.io/cluster": "temporal-pg", "cnpg.io/podRole": "instance" },
      namespaceLabels: { "app.kubernetes.io/part-of": "temporal-stack" },
    };
    for (const port of [5432, 8000])
      assert.ok(connects(policies, operator, instance, port, "TCP"), String(port));
    assert.ok(!connects(policies, operator, { ...instance, labels: {} }, 5432, "TCP"));
    assert.ok(
      !connects(policies, operator, { ...instance, namespace: "x", namespaceLabels: {} }, 5432, "TCP"),
    );
  });

  it("come with Cilium's own on request", async () => {
    const deployment = await deployStack("prod", {
      changes: { "temporal-stack:networkAccess": { cilium: true } },
    });
    const policies = objectsOf(deployment, "CiliumNetworkPolicy");
    const namespaces = policies.map(({ inputs }) => at(inputs, "metadata", "namespace"));
    assert.deepEqual(namespaces.sort(), [
      ...["cnpg-system", "cnpg-system", "cnpg-system"],
      ...["temporal", "temporal", "temporal-workers"],
    ]);
    for (const { inputs, registration } of policies) {
      assert.equal(at(inputs, "apiVersion"), "cilium.io/v2");
      assert.equal(at(inputs, "metadata", "labels", "temporal-stack/stack"), "prod", registration.name);
      assert.match(registration.parent, /NetworkPolicies::policy$/);
    }
    for (const { registration } of objectsOf(deployment, "NetworkPolicy")) {
      const needed = registration.dependencies.filter((urn) => urn.includes(":CiliumNetworkPolicy::"));
      assert.equal(needed.length, policies.length, `${registration.name} would close addresses first`);
    }
  });

  it("open the codec server to the pods that settings name, and its way to the identity provider", async () => {
    const auth = {
      mode: "jwt",
      issuer: "https://login.example.com/",
      audience: "temporal-codec",
      jwksUrl: "https://login.example.com:8443/jwks",
      requiredClaims: { groups: ["temporal-admins"] },
      network: { cidrs: ["192.0.2.0/24"] },
    };
    const deployment = await deployStack("local", {
      changes: {
        "temporal-stack:payloadEncryption": { codecServer: { uiOrigin: "http://127.0.0.1:8233", auth } },
        "temporal-stack:networkAccess": {
          codecFrom: [{ namespace: "ingress", podLabels: { app: "nginx" } }],
        },
      },
    });
    const policies = objectsOf(deployment, "NetworkPolicy").map(({ inputs }) => inputs);
    const ingress: PodParty = { name: "ingress", namespace: "ingress", labels: { app: "nginx" } };
    const pods = podsOf(deployment);
    const codec = pods.find(({ name }) => name === "codec-server-deployment");
    const worker = pods.find(({ name }) => name === "worker-orders-deployment");
    assert.ok(codec && worker);
    assert.ok(connects(policies, ingress, codec, 8081, "TCP"));
    assert.ok(!connects(policies, ingress, codec, 8080, "TCP"));
    assert.ok(!connects(policies, ingress, worker, 8081, "TCP"));
    assert.ok(!connects(policies, { ...ingress, labels: {} }, codec, 8081, "TCP"));
    assert.ok(!connects(policies, worker, codec, 8081, "TCP"));
    const outside = policies.filter(
      (policy) => at(policy, "spec", "egress", 0, "to", 0, "ipBlock") !== undefined,
    );
    assert.equal(outside.length, 1);
    assert.ok(codec.isSelectedBy(mappingAt(outside[0], "spec", "podSelector", "matchLabels")));
    assert.equal(at(outside[0], "spec", "egress", 0, "ports", 0, "port"), 8443);
  });

  it("let workers send traces to the receiver that settings name, and nothing else there", async () => {
    const tracing = {
      endpoint: "http://collector.observability.svc:4318",
      network: { namespace: "observability", podLabels: { app: "collector" } },
    };
    const deployment = await deployStack("local", { changes: { "temporal-stack:tracing": tracing } });
    const policies = objectsOf(deployment, "NetworkPolicy").map(({ inputs }) => inputs);
    const worker = podsOf(deployment).find(({ name }) => name === "worker-orders-deployment");
    assert.ok(worker);
    const collector: PodParty = {
      name: "collector",
      namespace: "observability",
      labels: { app: "collector" },
    };
    assert.ok(connects(policies, worker, collector, 4318, "TCP"));
    assert.ok(!connects(policies, worker, collector, 4317, "TCP"));
    assert.ok(!connects(policies, worker, { ...collector, labels: { app: "other" } }, 4318, "TCP"));
    assert.ok(!connects(policies, collector, worker, 9464, "TCP"));
  });

  it("open address ranges for a server outside the cluster", async () => {
    const deployment = await deployStack("prod", {
      changes: {
        "temporal-stack:temporal": {
          mode: "external",
          address: "temporal.example.com:443",
          namespace: "prod",
          network: { cidrs: ["192.0.2.0/24"] },
        },
        "temporal-stack:postgres": undefined,
      },
    });
    const rules = objectsOf(deployment, "NetworkPolicy").flatMap(({ inputs }) =>
      listAt(inputs, "spec", "egress"),
    );
    assert.ok(
      rules.some(
        (rule) =>
          at(rule, "to", 0, "ipBlock", "cidr") === "192.0.2.0/24" && at(rule, "ports", 0, "port") === 443,
      ),
    );
  });
});
