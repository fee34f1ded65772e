import {
  type Flow,
  type Flows,
  groupedBy,
  nameFlows,
  ownNamespaces,
  partyOf,
  type Party,
  connectionFlows,
} from "../components/manifests/flows";
import { networkAccess } from "../settings/networkAccess";
import { PRESETS } from "../settings/networkPresets";
import { samples } from "./samples";
import { markdownTable } from "./table";

/** Who may connect to whom, from the table that the policies are made from. */
export function networkPage(): string {
  return `${[
    "# Network",
    "Written by `npm run docs` from the table in `components/manifests/flows.ts`, from which the NetworkPolicies are made, too; do not edit.",
    "Every namespace of the stack is closed in both directions. What is listed here is open, each flow on the side of the stack's own namespaces: as egress of its source, as ingress of its destination. The kubelet's probes need no flow. Policies work only where the cluster's network plugin enforces them.",
    "Every peer in the settings is `{namespace, podLabels}` or `{cidrs}`. What worker groups reach beyond this page is under `workers[].egress`. Addresses stand where no label selects: the Kubernetes API server (`networkAccess.apiServer`), who calls webhooks for it (`networkAccess.webhooksFrom`), a managed Postgres (`postgres.network`), a server elsewhere (`temporal.network`), a load balancer. API server and managed Postgres default to every address, on their ports only: name the real ranges. A pod on its node's own network (`hostNetwork: true`) has the node's address, and no label of it counts.",
    "NetworkPolicies see a connection behind the Service: the pod's address and the pod's port (`targetPort`). Where a program on the node itself answers for a Service, as NodeLocal DNSCache and EKS Auto Mode do for DNS, they see the Service's address.",
    "## Presets",
    "Every pod of the stack reaches the DNS servers in `networkAccess.dns`; [troubleshooting](troubleshooting.md#names-are-not-resolved) says how to find out which one a pod asks. The Postgres operator and its instances reach the API server, and it, or pods in its stead, calls the operator's webhook. `networkAccess.preset` sets what these are by default; `dns`, `apiServer` and `webhooksFrom` win where they are set.",
    presetTable(),
    "**No preset has been run on its cloud.** They are what the documentation of the clouds and reports of their users say; tests try them against the rules of NetworkPolicies only. `npm run e2e:prod` runs `generic` on a cluster with CoreDNS and an enforcer of the Kubernetes project.",
    "A cluster with other ranges of Services than its cloud's default needs the address of its DNS Service where the node answers for it (NodeLocal DNSCache beside kube-proxy, EKS Auto Mode): add `{cidrs: [ADDRESS/32], ports: [53]}` to a list in `dns`.",
    "## Cilium",
    "Cilium matches neither nodes nor pods by address (`ipBlock`), and the API server often is a node. With `networkAccess.cilium: true` the stack adds a `CiliumNetworkPolicy` (`cilium.io/v2`) for each flow that needs an entity: the operator and Postgres reach `kube-apiserver`, and no longer every address; the API server calls webhooks as `kube-apiserver`, or through a tunnel as `host` or `remote-node`; every pod reaches `host` on the ports of the DNS servers that are named by address. GKE Dataplane V2 has no such resource type and needs none: its API server is outside the cluster. An ingress controller on the nodes' network is not matched by `cidrs` either, unless Cilium runs with `policy-cidr-match-mode: nodes`.",
    ...samples().flatMap(({ title, settings }) => [
      `## ${title}`,
      `Closed namespaces: ${ownNamespaces(settings)
        .map((namespace) => `\`${namespace}\``)
        .join(", ")}.`,
      markdownTable(["from", "to", "ports", "for"], rowsOf(connectionFlows(settings))),
    ]),
  ].join("\n\n")}\n`;
}

function presetTable(): string {
  const rows = PRESETS.map((preset) => {
    const access = networkAccess.parse({ preset });
    const dns = nameFlows("", { networkAccess: access }).map(
      ({ to, ports }) => `${party(to)} (${[...new Set(ports.map(({ port }) => port))].join(", ")})`,
    );
    const webhooks = access.webhooksFrom.map((peer) => party(partyOf(peer)));
    return [`\`${preset}\``, dns.join("; "), access.apiServer.ports.join(", "), webhooks.join("; ")];
  });
  return markdownTable(
    ["preset", "DNS servers (ports)", "ports of the API server", "callers of webhooks"],
    rows,
  );
}

function rowsOf(flows: readonly Flow[]): string[][] {
  return groupedBy(flows, ({ name, ports }) => [name, ports]).map(row);
}

function row(flows: Flows): string[] {
  const [{ ports, why }] = flows;
  const protocols = [...new Set(ports.map(({ protocol }) => protocol))];
  const numbers = [...new Set(ports.map(({ port }) => port))].join(", ");
  const parties = (end: "from" | "to") => [...new Set(flows.map((flow) => party(flow[end])))].join("; ");
  return [parties("from"), parties("to"), `${numbers} ${protocols.join(" and ")}`, why];
}

function party(peer: Party): string {
  if (peer.kind === "addresses") return peer.cidrs.map((cidr) => `\`${cidr}\``).join(", ");
  if (peer.kind === "entities") return `Cilium's ${peer.names.map((name) => `\`${name}\``).join(", ")}`;
  const { namespace, labels, components } = peer;
  const terms = [
    ...Object.entries(labels).map(([key, value]) => `${key.split("/").at(-1) ?? key}=${value}`),
    ...(components === undefined ? [] : [`component in (${components.join(", ")})`]),
  ];
  return `\`${namespace}\`: ${terms.length === 0 ? "all pods" : terms.join(", ")}`;
}
