import type { types } from "@pulumi/kubernetes";
import { type Flow, type Flows, groupedBy, type Party, type Pods } from "./flows";
import { COMPONENT, PROGRAM_LABELS } from "./labels";

type NetworkPolicySpec = types.input.networking.v1.NetworkPolicySpec;

/** A policy to be: which namespace, which logical name, what it says. */
export interface PolicyManifest {
  readonly name: string;
  readonly namespace: string;
  readonly spec: NetworkPolicySpec;
}

/** Label that Kubernetes itself puts on every namespace. */
const NAMESPACE_NAME = "kubernetes.io/metadata.name";

/**
 * Policies that close namespaces in both directions and open exactly the given flows: each on the side
 * of its source, its destination, or both, as far as that is a namespace of the stack.
 */
export function networkPolicyManifests(
  namespaces: readonly string[],
  flows: readonly Flow[],
): PolicyManifest[] {
  // Entities are for Cilium's own policies.
  const standard = flows.filter(({ from, to }) => from.kind !== "entities" && to.kind !== "entities");
  return [
    ...namespaces.map((namespace) => ({
      name: `${namespace}-deny`,
      namespace,
      spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
    })),
    ...groupedBy(standard, ({ name, from }) => [name, from]).flatMap((group) => egress(group, namespaces)),
    ...groupedBy(standard, ({ name, to }) => [name, to]).flatMap((group) => ingress(group, namespaces)),
  ];
}

/** Flows of one name from one source are one policy. */
function egress([flow, ...more]: Flows, namespaces: readonly string[]): PolicyManifest[] {
  const { name, from } = flow;
  if (from.kind !== "pods" || !namespaces.includes(from.namespace)) return [];
  const spec = {
    podSelector: podSelector(from),
    policyTypes: ["Egress"],
    egress: [flow, ...more].map(({ to, ports, otherStacks }) => ({
      to: [...peers(to), ...inOtherStacks(otherStacks)],
      ports: ports.map((port) => ({ ...port })),
    })),
  };
  return [{ name: `${name}-egress`, namespace: from.namespace, spec }];
}

/** Flows of one name to one destination are one policy. */
function ingress([flow, ...more]: Flows, namespaces: readonly string[]): PolicyManifest[] {
  const { name, to } = flow;
  if (to.kind !== "pods" || !namespaces.includes(to.namespace)) return [];
  const spec = {
    podSelector: podSelector(to),
    policyTypes: ["Ingress"],
    ingress: [flow, ...more].map(({ from, ports }) => ({
      from: peers(from),
      ports: ports.map((port) => ({ ...port })),
    })),
  };
  return [{ name: `${name}-ingress`, namespace: to.namespace, spec }];
}

/** Pods with a label, whatever its value, in the namespaces of every stack. */
function inOtherStacks(label: string | undefined) {
  if (label === undefined) return [];
  return [
    {
      namespaceSelector: { matchLabels: PROGRAM_LABELS },
      podSelector: { matchExpressions: [{ key: label, operator: "Exists" }] },
    },
  ];
}

/** Selects pods, in the form of NetworkPolicies and of Cilium. */
export function podSelector({ labels, components }: Pods) {
  return {
    ...(Object.keys(labels).length === 0 ? {} : { matchLabels: { ...labels } }),
    ...(components === undefined
      ? {}
      : { matchExpressions: [{ key: COMPONENT, operator: "In", values: [...components] }] }),
  };
}

function peers(party: Party) {
  switch (party.kind) {
    case "addresses":
      return party.cidrs.map((cidr) => ({ ipBlock: { cidr } }));
    case "entities":
      return [];
    case "pods": {
      const namespaceSelector = { matchLabels: { [NAMESPACE_NAME]: party.namespace } };
      const selector = podSelector(party);
      return [
        Object.keys(selector).length === 0
          ? { namespaceSelector }
          : { namespaceSelector, podSelector: selector },
      ];
    }
  }
}
