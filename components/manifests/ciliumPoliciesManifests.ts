import { type Flow, type FlowPort, type Flows, groupedBy } from "./flows";
import { podSelector } from "./networkPoliciesManifests";

/** A policy of Cilium to be: which namespace, which logical name, what it says. */
export interface CiliumPolicyManifest {
  readonly name: string;
  readonly namespace: string;
  readonly spec: CiliumPolicySpec;
}

/** The part of `cilium.io/v2` that the program uses. */
interface CiliumPolicySpec {
  readonly endpointSelector: ReturnType<typeof podSelector>;
  readonly egress?: readonly {
    readonly toEntities: readonly string[];
    readonly toPorts: readonly PortRule[];
  }[];
  readonly ingress?: readonly {
    readonly fromEntities: readonly string[];
    readonly toPorts: readonly PortRule[];
  }[];
}

interface PortRule {
  readonly ports: readonly { readonly port: string; readonly protocol: string }[];
}

/**
 * Policies for flows from and to what Cilium knows by name only. They add to the NetworkPolicies, which close the
 * namespaces.
 */
export function ciliumPolicyManifests(
  namespaces: readonly string[],
  flows: readonly Flow[],
): CiliumPolicyManifest[] {
  return [
    ...groupedBy(flows, ({ name, from }) => [name, from]).flatMap((group) => egress(group, namespaces)),
    ...groupedBy(flows, ({ name, to }) => [name, to]).flatMap((group) => ingress(group, namespaces)),
  ];
}

function egress(flows: Flows, namespaces: readonly string[]): CiliumPolicyManifest[] {
  const [{ name, from }] = flows;
  const rules = flows.flatMap(({ to, ports }) =>
    to.kind === "entities" ? [{ toEntities: to.names, toPorts: toPorts(ports) }] : [],
  );
  if (from.kind !== "pods" || !namespaces.includes(from.namespace) || rules.length === 0) return [];
  const spec = { endpointSelector: podSelector(from), egress: rules };
  return [{ name: `${name}-cilium-egress`, namespace: from.namespace, spec }];
}

function ingress(flows: Flows, namespaces: readonly string[]): CiliumPolicyManifest[] {
  const [{ name, to }] = flows;
  const rules = flows.flatMap(({ from, ports }) =>
    from.kind === "entities" ? [{ fromEntities: from.names, toPorts: toPorts(ports) }] : [],
  );
  if (to.kind !== "pods" || !namespaces.includes(to.namespace) || rules.length === 0) return [];
  const spec = { endpointSelector: podSelector(to), ingress: rules };
  return [{ name: `${name}-cilium-ingress`, namespace: to.namespace, spec }];
}

function toPorts(ports: readonly FlowPort[]): PortRule[] {
  return [{ ports: ports.map(({ port, protocol }) => ({ port: String(port), protocol })) }];
}
