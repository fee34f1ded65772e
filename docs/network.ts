import {
  type Addresses,
  type Flow,
  ownNamespaces,
  type Pods,
  stackFlows,
} from "../components/manifests/flows";
import { samples } from "./samples";
import { markdownTable } from "./table";

/** Who may connect to whom, from the table that the policies are made from. */
export function networkPage(): string {
  return `${[
    "# Network",
    "Written by `npm run docs` from the table in `components/manifests/flows.ts`, from which the NetworkPolicies are made, too; do not edit.",
    "Every namespace of the stack is closed in both directions. What is listed here is open, each flow on the side of the stack's own namespaces: as egress of its source, as ingress of its destination. The kubelet's probes need no flow. Policies work only where the cluster's network plugin enforces them.",
    "Addresses stand where no label selects: the Kubernetes API server (`networkAccess.apiServer`), a managed Postgres (`postgres.cidrs`), a server elsewhere (`temporal.network.cidrs`). The first two default to every address, on their ports only: name the real ranges.",
    ...samples().flatMap(({ title, settings }) => [
      `## ${title}`,
      `Closed namespaces: ${ownNamespaces(settings)
        .map((namespace) => `\`${namespace}\``)
        .join(", ")}.`,
      markdownTable(["from", "to", "ports", "for"], stackFlows(settings).map(row)),
    ]),
  ].join("\n\n")}\n`;
}

function row({ from, to, ports, why }: Flow): string[] {
  const protocols = [...new Set(ports.map(({ protocol }) => protocol))];
  const numbers = [...new Set(ports.map(({ port }) => port))].join(", ");
  return [party(from), party(to), `${numbers} ${protocols.join(" and ")}`, why];
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
