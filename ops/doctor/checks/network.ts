import { BlockList, isIPv6 } from "node:net";
import { type Flow, ownNamespaces, selects, stackFlows } from "../../../components/manifests/flows";
import type { Labels } from "../../../components/manifests/labels";
import type { Settings } from "../../../settings/settings";
import type { Check } from "../check";
import type { ClusterReader, Endpoint, ServiceAddress } from "../clusterReader";
import { type Finding, failed, ok, warning } from "../finding";

/** Services by which pods resolve names, of Kubernetes and of OpenShift. */
const DNS_SERVICES = [
  { namespace: "kube-system", name: "kube-dns" },
  { namespace: "openshift-dns", name: "dns-default" },
] as const;
/** A cache on each node, which answers under an address of its own. */
const NODE_CACHE = {
  namespace: "kube-system",
  labels: { "k8s-app": "node-local-dns" },
  address: "169.254.20.10",
};

/** As Cilium names it. */
const API_SERVER = "kube-apiserver" as const;

/** Somebody whom pods of the stack have to reach. */
export interface NetworkTarget {
  readonly what: string;
  readonly address: string;
  readonly ports: readonly number[];
  /** Name by which Cilium knows it. */
  readonly entity?: "host" | "kube-apiserver";
  /** The pod behind it; undefined where it is none. */
  readonly pod?: { readonly namespace: string; readonly labels: Labels } | undefined;
}

/** DNS and the API server are where the network policies let pods of the stack through. */
export const network: Check = {
  name: "network",
  about: "network policies open the way to DNS and the API server",
  examine: async ({ settings, cluster }) => {
    const { dns, api } = neededFlows(settings);
    return [
      ...(settings.networkAccess.cilium ? ciliumFindings(await cluster.resources("cilium.io", "v2")) : []),
      ...dnsFindings(dns, await dnsTargets(cluster)),
      ...(api.length === 0
        ? [ok("no pod of the stack asks the API server")]
        : apiFindings(
            api,
            await cluster.endpoints("default", "kubernetes"),
            await cluster.service("default", "kubernetes"),
          )),
    ];
  },
};

type FlowSettings = Parameters<typeof stackFlows>[0];

/** The flows of one namespace to the DNS servers, which are those of every namespace, and those to the API server. */
export function neededFlows(settings: FlowSettings & Settings): {
  readonly dns: readonly Flow[];
  readonly api: readonly Flow[];
} {
  const flows = stackFlows(settings);
  const [first] = ownNamespaces(settings);
  return {
    dns: flows.filter(({ name }) => name === `${first ?? ""}-dns`),
    api: flows.filter(({ name }) => /^(postgres|operator)-api$/.test(name)),
  };
}

async function dnsTargets(cluster: ClusterReader): Promise<NetworkTarget[]> {
  const found = await Promise.all(
    DNS_SERVICES.map(async ({ namespace, name }) => {
      const endpoints = await cluster.endpoints(namespace, name, /^dns/);
      const labels = endpoints.length === 0 ? new Map<string, Labels>() : await cluster.podLabels(namespace);
      return endpoints.map(({ address, ports, pod }) => {
        const own = pod === undefined ? undefined : labels.get(pod);
        return {
          what: `DNS server ${pod === undefined ? address : `${namespace}/${pod}`}`,
          address,
          ports,
          pod: own && { namespace, labels: own },
        };
      });
    }),
  );
  const selector = Object.entries(NODE_CACHE.labels).map(([key, value]) => `${key}=${value}`);
  const caches = await cluster.podLabels(NODE_CACHE.namespace, selector.join());
  return [
    ...found.flat(),
    ...(caches.size === 0
      ? []
      : [{ what: "NodeLocal DNSCache", address: NODE_CACHE.address, ports: [53], entity: "host" as const }]),
  ];
}

export function ciliumFindings(served: readonly string[] | undefined): Finding[] {
  return served?.includes("ciliumnetworkpolicies") === true
    ? [ok("Cilium's own network policies are served")]
    : [
        failed(
          "networkAccess.cilium is set, and the cluster serves no ciliumnetworkpolicies.cilium.io of version v2",
          "set temporal-stack:networkAccess.cilium to false: another plugin enforces the policies here",
        ),
      ];
}

/** @param flows from one namespace of the stack */
export function dnsFindings(flows: readonly Flow[], targets: readonly NetworkTarget[]): Finding[] {
  const remedy =
    "name the DNS servers in temporal-stack:networkAccess.dns, or the cloud in networkAccess.preset";
  if (targets.length === 0) {
    return [
      warning(
        "where pods resolve names cannot be seen: neither Service kube-system/kube-dns nor openshift-dns/dns-default has endpoints",
        "compare /etc/resolv.conf of a pod with docs/network.md",
      ),
    ];
  }
  const closed = targets.filter((target) => !isOpen(flows, target));
  return closed.length === 0
    ? [ok(`names: ${targets.map(({ what }) => what).join(", ")}`)]
    : [failed(`network policies keep the stack's pods from ${textOf(closed)}`, remedy)];
}

/**
 * @param endpoints where the API server listens
 * @param service in front of it
 */
export function apiFindings(
  flows: readonly Flow[],
  endpoints: readonly Endpoint[],
  service: ServiceAddress | undefined,
): Finding[] {
  const key = "temporal-stack:networkAccess.apiServer";
  const behind = endpoints.map(({ address, ports }) => ({
    what: "API server",
    address,
    ports,
    entity: API_SERVER,
  }));
  const inFront = (service?.clusterIps ?? []).map((address) => ({
    what: "Service default/kubernetes",
    address,
    entity: API_SERVER,
    ports: service?.ports ?? [],
  }));
  const [closed, closedInFront] = [behind, inFront].map((some) =>
    some.filter((target) => !isOpen(flows, target)),
  );
  if (closed !== undefined && closed.length > 0)
    return [
      failed(
        `network policies keep Postgres and its operator from the ${textOf(closed)}`,
        `add its addresses and ports to ${key}`,
      ),
    ];
  return closedInFront === undefined || closedInFront.length === 0
    ? [ok(`API server: ${behind.map(({ address, ports }) => `${address}:${ports.join("/")}`).join(", ")}`)]
    : [
        warning(
          `network policies keep Postgres and its operator from the ${textOf(closedInFront)}; plugins differ in which they look at`,
          `add its address and port to ${key}`,
        ),
      ];
}

const textOf = (targets: readonly NetworkTarget[]): string =>
  targets.map(({ what, address, ports }) => `${what} at ${address}:${ports.join("/")}`).join(", ");

/** Whether, for each port, some flow goes there. */
function isOpen(flows: readonly Flow[], target: NetworkTarget): boolean {
  return target.ports.every((port) =>
    flows.some(({ to, ports }) => ports.some((allowed) => allowed.port === port) && leadsTo(to, target)),
  );
}

function leadsTo(to: Flow["to"], { address, pod, entity }: NetworkTarget): boolean {
  if (to.kind === "pods") return pod !== undefined && selects(to, pod);
  if (to.kind === "entities") return entity !== undefined && to.names.includes(entity);
  const ranges = new BlockList();
  for (const range of to.cidrs) {
    const [start = "", prefix = ""] = range.split("/");
    ranges.addSubnet(start, Number(prefix), isIPv6(start) ? "ipv6" : "ipv4");
  }
  return ranges.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}
