import assert from "node:assert/strict";
import { ownNamespaces, stackFlows } from "../../components/manifests/flows";
import { CODEC_SERVER } from "../../components/manifests/codecServerManifests";
import { selectorLabels } from "../../components/manifests/labels";
import { PREFLIGHT } from "../../components/manifests/managedPostgresManifests";
import { networkPolicyManifests } from "../../components/manifests/networkPoliciesManifests";
import { parseSettings, type Settings } from "../../settings/settings";
import type { Values } from "../harness";
import { type AddressParty, connects, type Party, type PodParty } from "../support/networkPolicyRules";
import { LEAST, source } from "./refusal";
import { CHART, MANAGED } from "./samples";

const settingsOf = (sections: Values): Settings => parseSettings(source(sections));

/** The policies of a stack as the API server gets them. */
function policiesOf(settings: Settings) {
  const manifests = networkPolicyManifests(ownNamespaces(settings), stackFlows(settings));
  return manifests.map(({ name, namespace, spec }) => ({ metadata: { name, namespace }, spec }));
}

const withAccess = (networkAccess: Values, sections: Values = LEAST) =>
  policiesOf(settingsOf({ ...sections, networkAccess }));

const worker: PodParty = {
  name: "worker",
  namespace: "temporal-workers",
  labels: { "app.kubernetes.io/name": "temporal-worker" },
};
const pod = (namespace: string, labels: PodParty["labels"]): PodParty => ({
  name: namespace,
  namespace,
  labels,
});
const address = (text: string): AddressParty => ({ name: text, address: text });
const server = (component: string): PodParty =>
  pod("temporal", {
    "app.kubernetes.io/name": "temporal",
    "app.kubernetes.io/instance": "temporal",
    "app.kubernetes.io/component": component,
  });

describe("names of network policies", () => {
  it("are unique, although flows share them", () => {
    const names = policiesOf(settingsOf(CHART)).map(({ metadata }) => metadata.name);
    assert.deepEqual(names, [...new Set(names)]);
  });
});

describe("networkAccess.dns", () => {
  const resolves = (policies: readonly unknown[], to: Party, port = 53) =>
    ["UDP", "TCP"].map((protocol) => connects(policies, worker, to, port, protocol));
  const coreDns = pod("kube-system", { "k8s-app": "kube-dns" });

  const servers: readonly [name: string, party: Party, port?: number][] = [
    ["CoreDNS and kube-dns", coreDns],
    [
      "the pods of NodeLocal DNSCache on GKE Dataplane V2",
      pod("kube-system", { "k8s-app": "node-local-dns" }),
    ],
    ["NodeLocal DNSCache on the node's network", address("169.254.20.10")],
    ["NodeLocal DNSCache at kubeadm's Service", address("10.96.0.10")],
    ["Cloud DNS of GKE", address("169.254.169.254")],
    ["EKS Auto Mode in a VPC of 10.0.0.0/8", address("172.20.0.10")],
    ["EKS Auto Mode in another VPC", address("10.100.0.10")],
    ["LocalDNS of AKS for the cluster's names", address("169.254.10.11")],
    ["LocalDNS of AKS for other names", address("169.254.10.10")],
    [
      "OpenShift, on the port of its pods",
      pod("openshift-dns", { "dns.operator.openshift.io/daemonset-dns": "default" }),
      5353,
    ],
  ];
  for (const [name, party, port] of servers) {
    it(`lets every pod ask ${name} by default`, () => {
      const policies = policiesOf(settingsOf(CHART));
      assert.deepEqual(resolves(policies, party, port), [true, true]);
      assert.ok(connects(policies, server("history"), party, port ?? 53, "UDP"), "of the server");
      assert.ok(connects(policies, pod("cnpg-system", {}), party, port ?? 53, "UDP"), "of the operator");
    });
  }

  it("lets nobody ask others by default, nor the same ones on other ports", () => {
    const policies = policiesOf(settingsOf(LEAST));
    for (const [party, port] of [
      [address("192.0.2.53"), 53],
      [pod("kube-system", { "k8s-app": "other" }), 53],
      [pod("default", { "k8s-app": "kube-dns" }), 53],
      [coreDns, 5353],
      [address("169.254.169.254"), 80],
      [pod("openshift-dns", { "dns.operator.openshift.io/daemonset-dns": "default" }), 53],
    ] as const) {
      assert.deepEqual(resolves(policies, party, port), [false, false], `${party.name} ${port}`);
    }
  });

  it("opens a DNS server under other labels and on another port, and closes the default ones", () => {
    const named = pod("dns", { app: "unbound" });
    const policies = withAccess({
      dns: [
        { namespace: "dns", podLabels: { app: "unbound" }, ports: [1053] },
        { cidrs: ["192.0.2.53/32"], ports: [53] },
      ],
    });
    assert.deepEqual(resolves(policies, named, 1053), [true, true]);
    assert.deepEqual(resolves(policies, named, 53), [false, false], "the port of its Service");
    assert.deepEqual(resolves(policies, pod("dns", { app: "other" }), 1053), [false, false]);
    assert.deepEqual(resolves(policies, address("192.0.2.53")), [true, true]);
    assert.deepEqual(resolves(policies, coreDns), [false, false]);
  });
});

describe("peers by address", () => {
  const network = { cidrs: ["198.51.100.0/24"] };
  const [inside, outside] = [address("198.51.100.7"), address("203.0.113.7")];

  const doors: readonly [door: string, to: PodParty, port: number][] = [
    ["frontendFrom", server("frontend"), 7233],
    ["uiFrom", server("web"), 8080],
    ["metricsFrom", worker, 9464],
    ["codecFrom", pod("temporal-workers", selectorLabels(CODEC_SERVER)), 8081],
  ];
  for (const [door, to, port] of doors) {
    it(`open networkAccess.${door} to a load balancer or a scraper outside, and to nobody else there`, () => {
      const sections = {
        ...CHART,
        payloadEncryption: { codecServer: { uiOrigin: "https://temporal.example.com" } },
      };
      const policies = withAccess({ [door]: [network] }, sections);
      assert.ok(connects(policies, inside, to, port), "named");
      assert.ok(!connects(policies, outside, to, port), "not named");
      assert.ok(!connects(policies, inside, to, port + 1), "another port");
      assert.ok(!connects(policies, pod("default", {}), to, port), "a pod");
    });
  }
});

describe("a managed Postgres", () => {
  const postgres = (changes: Values) =>
    policiesOf(settingsOf({ ...CHART, postgres: { ...MANAGED, ...changes } }));
  const preflight = pod("temporal", selectorLabels(PREFLIGHT));

  it("is reached at every address by default, on its port only", () => {
    const policies = postgres({ port: 6432 });
    for (const client of [server("history"), server("database"), preflight]) {
      assert.ok(connects(policies, client, address("203.0.113.7"), 6432), client.name);
      assert.ok(!connects(policies, client, address("203.0.113.7"), 5432), client.name);
    }
    assert.ok(!connects(policies, worker, address("203.0.113.7"), 6432));
  });

  it("is reached at its addresses, in the long form and in the short one", () => {
    for (const changes of [{ cidrs: ["192.0.2.0/24"] }, { network: { cidrs: ["192.0.2.0/24"] } }]) {
      const policies = postgres(changes);
      assert.ok(connects(policies, server("history"), address("192.0.2.7"), 5432));
      assert.ok(!connects(policies, server("history"), address("203.0.113.7"), 5432));
    }
  });

  it("is reached in another namespace of the cluster, on the port of its pods", () => {
    const policies = postgres({
      network: { namespace: "databases", podLabels: { app: "pgbouncer" }, podPort: 6432 },
    });
    const pgbouncer = pod("databases", { app: "pgbouncer" });
    for (const client of [server("history"), preflight]) {
      assert.ok(connects(policies, client, pgbouncer, 6432));
      assert.ok(!connects(policies, client, pgbouncer, 5432), "the port of its Service");
      assert.ok(!connects(policies, client, address("203.0.113.7"), 5432), "an address");
    }
  });
});
