import assert from "node:assert/strict";
import { ownNamespaces, stackFlows } from "../../components/manifests/flows";
import { ciliumPolicyManifests } from "../../components/manifests/ciliumPoliciesManifests";
import { CODEC_SERVER } from "../../components/manifests/codecServerManifests";
import { selectorLabels } from "../../components/manifests/labels";
import { PREFLIGHT } from "../../components/manifests/managedPostgresManifests";
import { networkPolicyManifests } from "../../components/manifests/networkPoliciesManifests";
import { parseSettings, type Settings } from "../../settings/settings";
import type { Values } from "../harness";
import {
  type AddressParty,
  connects,
  matches,
  type Party,
  type PodParty,
} from "../support/networkPolicyRules";
import { at, listAt } from "../program/stack";
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

describe("networkAccess.apiServer", () => {
  const instance = pod("temporal", { "cnpg.io/cluster": "temporal-pg" });
  const operator = pod("cnpg-system", { "app.kubernetes.io/name": "cloudnative-pg" });
  const [inside, outside] = [address("192.0.2.1"), address("203.0.113.7")];
  const vcluster = pod("vcluster", { app: "vcluster" });

  it("lets the operator and the instances reach every address by default, on its ports only", () => {
    const policies = policiesOf(settingsOf(CHART));
    for (const source of [instance, operator]) {
      for (const port of [443, 6443]) assert.ok(connects(policies, source, outside, port), source.namespace);
      assert.ok(!connects(policies, source, outside, 80), source.namespace);
    }
    assert.ok(!connects(policies, worker, outside, 443), "a worker");
  });

  it("narrows that to its addresses", () => {
    const policies = withAccess({ apiServer: { cidrs: ["192.0.2.1/32"], ports: [8443] } }, CHART);
    for (const source of [instance, operator]) {
      assert.ok(connects(policies, source, inside, 8443), source.namespace);
      assert.ok(!connects(policies, source, inside, 443), source.namespace);
      assert.ok(!connects(policies, source, outside, 8443), source.namespace);
    }
  });

  it("can be pods, as in a virtual cluster", () => {
    const policies = withAccess({ apiServer: { namespace: "vcluster", ports: [8443] } }, CHART);
    assert.ok(connects(policies, instance, vcluster, 8443));
    assert.ok(!connects(policies, instance, outside, 8443));
    assert.ok(connects(policies, vcluster, operator, 9443), "its webhooks");
  });
});

describe("networkAccess.webhooksFrom", () => {
  const operator = pod("cnpg-system", { "app.kubernetes.io/name": "cloudnative-pg" });
  const gke = pod("kube-system", { "k8s-app": "konnectivity-agent" });
  const aks = pod("kube-system", { app: "konnectivity-agent" });

  it("lets the API server call, also through the pods of konnectivity on GKE and AKS", () => {
    const policies = policiesOf(settingsOf(CHART));
    for (const caller of [address("203.0.113.7"), gke, aks]) {
      assert.ok(connects(policies, caller, operator, 9443), caller.name);
      assert.ok(!connects(policies, caller, operator, 8080), caller.name);
    }
    assert.ok(!connects(policies, pod("default", {}), operator, 9443), "a pod");
  });

  it("follows the API server's addresses, and is replaced by a list", () => {
    const followed = withAccess({ apiServer: { cidrs: ["192.0.2.1/32"] } }, CHART);
    assert.ok(connects(followed, address("192.0.2.1"), operator, 9443));
    assert.ok(!connects(followed, address("203.0.113.7"), operator, 9443));
    assert.ok(connects(followed, gke, operator, 9443));
    const listed = withAccess({ webhooksFrom: [{ cidrs: ["192.0.2.0/24"] }] }, CHART);
    assert.ok(connects(listed, address("192.0.2.1"), operator, 9443));
    assert.ok(!connects(listed, gke, operator, 9443));
  });
});

describe("networkAccess.preset", () => {
  const kubeDns = pod("kube-system", { "k8s-app": "kube-dns" });
  const openShiftDns = pod("openshift-dns", { "dns.operator.openshift.io/daemonset-dns": "default" });
  const operator = pod("cnpg-system", { "app.kubernetes.io/name": "cloudnative-pg" });
  const gke = pod("kube-system", { "k8s-app": "konnectivity-agent" });
  const aks = pod("kube-system", { app: "konnectivity-agent" });
  const outside = address("203.0.113.7");

  interface Expected {
    readonly dns: readonly [Party, number][];
    readonly noDns: readonly [Party, number][];
    readonly api: readonly number[];
    readonly callers: readonly Party[];
    readonly noCallers: readonly Party[];
  }
  const presets: Readonly<Record<string, Expected>> = {
    gke: {
      dns: [
        [kubeDns, 53],
        [pod("kube-system", { "k8s-app": "node-local-dns" }), 53],
        [address("169.254.20.10"), 53],
        [address("169.254.169.254"), 53],
        [address("34.118.224.10"), 53],
      ],
      noDns: [
        [address("172.20.0.10"), 53],
        [openShiftDns, 5353],
      ],
      api: [443],
      callers: [gke, outside],
      noCallers: [aks],
    },
    eks: {
      dns: [
        [kubeDns, 53],
        [address("169.254.20.10"), 53],
        [address("172.20.0.10"), 53],
        [address("10.100.0.10"), 53],
      ],
      noDns: [
        [address("169.254.169.254"), 53],
        [openShiftDns, 5353],
      ],
      api: [443],
      callers: [outside],
      noCallers: [gke, aks],
    },
    aks: {
      dns: [
        [kubeDns, 53],
        [address("169.254.10.10"), 53],
        [address("169.254.10.11"), 53],
      ],
      noDns: [
        [address("169.254.169.254"), 53],
        [openShiftDns, 5353],
      ],
      api: [443],
      callers: [aks, outside],
      noCallers: [gke],
    },
    openshift: {
      dns: [[openShiftDns, 5353]],
      noDns: [
        [openShiftDns, 53],
        [kubeDns, 53],
        [address("169.254.20.10"), 53],
      ],
      api: [443, 6443],
      callers: [outside],
      noCallers: [gke, aks],
    },
  };
  for (const [preset, { dns, noDns, api, callers, noCallers }] of Object.entries(presets)) {
    it(`${preset} opens what its cluster needs, and not what another does`, () => {
      const policies = withAccess({ preset }, CHART);
      const say = (party: Party, port: number) => `${party.name} ${port}`;
      for (const [party, port] of dns) {
        for (const protocol of ["UDP", "TCP"])
          assert.ok(connects(policies, worker, party, port, protocol), say(party, port));
      }
      for (const [party, port] of noDns)
        assert.ok(!connects(policies, worker, party, port), say(party, port));
      const open = [443, 6443].filter((port) => connects(policies, operator, outside, port));
      assert.deepEqual(open, api);
      for (const caller of callers) assert.ok(connects(policies, caller, operator, 9443), caller.name);
      for (const caller of noCallers) assert.ok(!connects(policies, caller, operator, 9443), caller.name);
    });
  }

  it("yields to each explicit setting, and keeps the others", () => {
    const { networkAccess } = settingsOf({
      ...LEAST,
      networkAccess: {
        preset: "openshift",
        dns: [{ cidrs: ["192.0.2.53/32"], ports: [53] }],
        apiServer: { ports: [6443] },
      },
    });
    assert.deepEqual(networkAccess.dns, [{ cidrs: ["192.0.2.53/32"], ports: [53] }]);
    assert.deepEqual(networkAccess.apiServer.ports, [6443]);
    const { networkAccess: other } = settingsOf({
      ...LEAST,
      networkAccess: { preset: "gke", webhooksFrom: [{ cidrs: ["192.0.2.0/24"] }] },
    });
    assert.deepEqual(other.webhooksFrom, [{ cidrs: ["192.0.2.0/24"] }]);
    assert.deepEqual(other.apiServer.ports, [443]);
  });

  it("generic opens whatever one of the others does, but for addresses that belong to strangers elsewhere", () => {
    const dnsOf = (preset: string) =>
      settingsOf({ ...LEAST, networkAccess: { preset } }).networkAccess.dns.flatMap(
        ({ cidrs, ports, ...pods }) =>
          (cidrs ?? [JSON.stringify(pods)]).map((peer) => `${peer} ${ports.join()}`),
      );
    const missing = ["gke", "eks", "aks", "openshift"]
      .flatMap(dnsOf)
      .filter((peer) => !dnsOf("generic").includes(peer));
    assert.deepEqual(missing, ["34.118.224.10/32 53"]);
  });
});

describe("networkAccess.cilium", () => {
  const withCilium = (networkAccess: Values = {}) => {
    const settings = settingsOf({ ...CHART, networkAccess: { cilium: true, ...networkAccess } });
    return ciliumPolicyManifests(ownNamespaces(settings), stackFlows(settings));
  };
  const toApi = [
    {
      toEntities: ["kube-apiserver"],
      toPorts: [
        {
          ports: [
            { port: "443", protocol: "TCP" },
            { port: "6443", protocol: "TCP" },
          ],
        },
      ],
    },
  ];

  it("opens by entity the API server, its webhooks, and DNS caches on the node", () => {
    const specs = Object.fromEntries(
      withCilium().map(({ name, namespace, spec }) => [`${namespace}/${name}`, spec]),
    );
    assert.deepEqual(Object.keys(specs), [
      "temporal/temporal-dns-cilium-egress",
      "cnpg-system/cnpg-system-dns-cilium-egress",
      "temporal-workers/temporal-workers-dns-cilium-egress",
      "temporal/postgres-api-cilium-egress",
      "cnpg-system/operator-api-cilium-egress",
      "cnpg-system/operator-webhook-cilium-ingress",
    ]);
    assert.deepEqual(specs["temporal/postgres-api-cilium-egress"], {
      endpointSelector: { matchLabels: { "cnpg.io/cluster": "temporal-pg" } },
      egress: toApi,
    });
    assert.deepEqual(specs["cnpg-system/operator-api-cilium-egress"], {
      endpointSelector: {},
      egress: toApi,
    });
    assert.deepEqual(specs["cnpg-system/operator-webhook-cilium-ingress"], {
      endpointSelector: { matchLabels: { "app.kubernetes.io/name": "cloudnative-pg" } },
      ingress: [
        {
          fromEntities: ["kube-apiserver", "host", "remote-node"],
          toPorts: [{ ports: [{ port: "9443", protocol: "TCP" }] }],
        },
      ],
    });
    assert.deepEqual(specs["temporal-workers/temporal-workers-dns-cilium-egress"], {
      endpointSelector: {},
      egress: [
        {
          toEntities: ["host"],
          toPorts: [
            {
              ports: [
                { port: "53", protocol: "UDP" },
                { port: "53", protocol: "TCP" },
              ],
            },
          ],
        },
      ],
    });
  });

  it("closes the addresses that stood for the API server, unless they are named", () => {
    const instance = pod("temporal", { "cnpg.io/cluster": "temporal-pg" });
    assert.ok(!connects(withAccess({ cilium: true }, CHART), instance, address("203.0.113.7"), 443));
    const named = withAccess({ cilium: true, apiServer: { cidrs: ["192.0.2.1/32"] } }, CHART);
    assert.ok(connects(named, instance, address("192.0.2.1"), 443));
    assert.ok(!connects(named, instance, address("203.0.113.7"), 443));
  });

  it("never leaves a rule without peers, which would open everything", () => {
    for (const networkAccess of [
      {},
      { cilium: true },
      { cilium: true, dns: [{ namespace: "dns", ports: [53] }] },
    ]) {
      for (const { metadata, spec } of withAccess(networkAccess, CHART)) {
        for (const rule of [...listAt(spec, "ingress"), ...listAt(spec, "egress")]) {
          assert.ok([...listAt(rule, "from"), ...listAt(rule, "to")].length > 0, metadata.name);
          assert.ok(listAt(rule, "ports").length > 0, metadata.name);
        }
      }
    }
  });

  it("has one policy for a namespace's DNS, however many servers there are", () => {
    const servers = ["192.0.2.1/32", "192.0.2.2/32"].map((cidr) => ({ cidrs: [cidr], ports: [53] }));
    const names = withCilium({ dns: servers }).map(({ name }) => name);
    assert.deepEqual(names, [...new Set(names)]);
    assert.deepEqual(
      withCilium({ dns: [{ namespace: "dns", ports: [53] }] }).map(({ name }) => name),
      ["postgres-api-cilium-egress", "operator-api-cilium-egress", "operator-webhook-cilium-ingress"],
    );
  });

  it("makes none of its policies otherwise", () => {
    const settings = settingsOf(CHART);
    assert.deepEqual(ciliumPolicyManifests(ownNamespaces(settings), stackFlows(settings)), []);
  });
});

describe("Postgres", () => {
  it("reaches its own instances, the API server and DNS, and nothing else", () => {
    const settings = settingsOf({ ...CHART, networkAccess: { apiServer: { cidrs: ["192.0.2.1/32"] } } });
    const labels = { "cnpg.io/cluster": "temporal-pg", "cnpg.io/podRole": "instance" };
    const names = policiesOf(settings)
      .filter(({ metadata }) => metadata.namespace === "temporal")
      .filter(({ spec }) => listAt(spec, "egress").length > 0 && matches(at(spec, "podSelector"), labels))
      .map(({ metadata }) => metadata.name);
    assert.deepEqual(names, ["temporal-dns-egress", "postgres-replication-egress", "postgres-api-egress"]);
    const policies = policiesOf(settings);
    const instance = pod("temporal", labels);
    for (const [party, port] of [
      [address("203.0.113.7"), 443],
      [address("192.0.2.1"), 80],
      [server("frontend"), 7233],
      [worker, 9464],
      [pod("cnpg-system", { "app.kubernetes.io/name": "cloudnative-pg" }), 9443],
    ] as const) {
      assert.ok(!connects(policies, instance, party, port), `${party.name} ${port}`);
    }
  });
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
