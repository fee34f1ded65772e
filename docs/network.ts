import {
  type Addresses,
  type Flow,
  type Flows,
  groupedBy,
  nameFlows,
  ownNamespaces,
  type Pods,
  connectionFlows,
} from "../components/manifests/flows";
import { networkAccess } from "../settings/networkAccess";
import { samples } from "./samples";
import { markdownTable } from "./table";

/** Who may connect to whom, from the table that the policies are made from. */
export function networkPage(): string {
  return `${[
    "# Network",
    "Written by `npm run docs` from the table in `components/manifests/flows.ts`, from which the NetworkPolicies are made, too; do not edit.",
    "Every namespace of the stack is closed in both directions. What is listed here is open, each flow on the side of the stack's own namespaces: as egress of its source, as ingress of its destination. The kubelet's probes need no flow. Policies work only where the cluster's network plugin enforces them.",
    "Every peer in the settings is `{namespace, podLabels}` or `{cidrs}`. Addresses stand where no label selects: the Kubernetes API server (`networkAccess.apiServer`), a managed Postgres (`postgres.network`), a server elsewhere (`temporal.network`), a load balancer. The first two default to every address, on their ports only: name the real ranges. A pod on its node's own network (`hostNetwork: true`) has the node's address, and no label of it counts.",
    "NetworkPolicies see a connection behind the Service: the pod's address and the pod's port (`targetPort`). Where a program on the node itself answers for a Service, as NodeLocal DNSCache and EKS Auto Mode do for DNS, they see the Service's address.",
    "## Every pod of the stack",
    "To the DNS servers in `networkAccess.dns`; these are the default. [Troubleshooting](troubleshooting.md#names-are-not-resolved) says how to find out which server a pod asks.",
    dnsTable(),
    ...samples().flatMap(({ title, settings }) => [
      `## ${title}`,
      `Closed namespaces: ${ownNamespaces(settings)
        .map((namespace) => `\`${namespace}\``)
        .join(", ")}.`,
      markdownTable(["from", "to", "ports", "for"], rowsOf(connectionFlows(settings))),
    ]),
  ].join("\n\n")}\n`;
}

function dnsTable(): string {
  const flows = nameFlows("", { networkAccess: networkAccess.parse({}) });
  return markdownTable(
    ["to", "ports", "for"],
    rowsOf(flows).map((cells) => cells.slice(1)),
  );
}

function rowsOf(flows: readonly Flow[]): string[][] {
  return groupedBy(flows, ({ name, from, ports }) => [name, from, ports]).map(row);
}

function row(flows: Flows): string[] {
  const [{ from, ports, why }] = flows;
  const protocols = [...new Set(ports.map(({ protocol }) => protocol))];
  const numbers = [...new Set(ports.map(({ port }) => port))].join(", ");
  const to = flows.map((flow) => party(flow.to)).join("; ");
  return [party(from), to, `${numbers} ${protocols.join(" and ")}`, why];
}

function party(peer: Pods | Addresses): string {
  if (peer.kind === "addresses") return peer.cidrs.map((cidr) => `\`${cidr}\``).join(", ");
  const { namespace, labels, components } = peer;
  const terms = [
    ...Object.entries(labels).map(([key, value]) => `${key.split("/").at(-1) ?? key}=${value}`),
    ...(components === undefined ? [] : [`component in (${components.join(", ")})`]),
  ];
  return `\`${namespace}\`: ${terms.length === 0 ? "all pods" : terms.join(", ")}`;
}
