import { isMapping } from "../../settings/mapping";
import { EVERYWHERE, kindRule, type ResourceRule, type StackRule } from "../rule";
import { selectsPods } from "../selectors";
import { at, isFilled, listAt, maybe, UNKNOWN } from "../values";
import { describe } from "../workload";
import { workloadsOf } from "../workloads";

const DIRECTIONS = ["Ingress", "Egress"] as const;

export const networkRules = [
  {
    id: "network-policy-coverage",
    title: "NetworkPolicies select every pod, in both directions.",
    reason: "A pod that no policy selects talks to everybody, and everybody to it.",
    fix: "give its namespace a policy with an empty podSelector and policyTypes Ingress and Egress",
    levels: EVERYWHERE,
    scope: "stack",
    eachPod: true,
    check: (subjects) => {
      const policies = subjects.filter(({ kind }) => kind === "NetworkPolicy").map(({ object }) => object);
      return subjects.flatMap(workloadsOf).flatMap((workload) => {
        // On the node's network no policy holds; another rule refuses that.
        if (workload.spec["hostNetwork"] === true) return [];
        const open = DIRECTIONS.filter(
          (direction) =>
            !policies.some(
              (policy) =>
                selectsPods(policy, at(policy, "spec", "podSelector"), workload) && closes(policy, direction),
            ),
        );
        const { subject, part } = workload;
        if (open.length === 0) return [];
        return [
          {
            subject,
            part,
            text: `no policy selects ${subject.kind === "Pod" ? "it" : `the pods of ${describe(workload)}`} for ${open.join(" and ")}`,
          },
        ];
      });
    },
  } satisfies StackRule,
  kindRule(
    {
      id: "network-policy-peers",
      title: "NetworkPolicies name who may connect, and to which ports.",
      reason: "A rule without peers lets everybody in, one without ports opens all of them.",
      fix: "name peers by namespaceSelector and podSelector, or ipBlock, and the ports",
      levels: EVERYWHERE,
    },
    ["NetworkPolicy"],
    (object) =>
      [
        { rules: "ingress", peers: "from" },
        { rules: "egress", peers: "to" },
      ].flatMap(({ rules, peers }) =>
        listAt(object, "spec", rules).flatMap((rule) => [
          ...(isFilled(at(rule, peers)) ? [] : [`has a rule for ${rules} without peers`]),
          ...(isFilled(at(rule, "ports")) ? [] : [`has a rule for ${rules} without ports`]),
        ]),
      ),
  ),
  kindRule(
    {
      id: "cilium-policy-peers",
      title: "CiliumNetworkPolicies name who may connect, and to which ports, and not the whole world.",
      reason: "A rule without peers or for the entity `world` opens what the NetworkPolicies close.",
      fix: "name entities, endpoints or address ranges, and the ports",
      levels: EVERYWHERE,
    },
    ["CiliumNetworkPolicy"],
    (object) => CILIUM_DIRECTIONS.flatMap((direction) => ciliumProblems(object, direction)),
  ),
  ingressRule(),
  kindRule(
    {
      id: "internal-services",
      title: "Services are reachable from inside the cluster only.",
      reason: "A load balancer or node port opens Temporal, which trusts whoever reaches it, to the network.",
      fix: "use type ClusterIP, and an Ingress with TLS for browsers",
      levels: EVERYWHERE,
    },
    ["Service"],
    (object) => {
      const kind = at(object, "spec", "type") ?? "ClusterIP";
      return [
        ...(kind === "LoadBalancer" || kind === "NodePort" ? [`is of type ${kind}`] : []),
        ...(listAt(object, "spec", "externalIPs").length > 0 ? ["has external addresses"] : []),
      ];
    },
  ),
];

const CILIUM_DIRECTIONS = [
  { rules: "ingress", peers: "from" },
  { rules: "egress", peers: "to" },
];
/** Entities that stand for everybody, or for everybody outside. */
const EVERYBODY = /^(all|world(-ipv[46])?)$/;

function ciliumProblems(object: unknown, { rules, peers }: (typeof CILIUM_DIRECTIONS)[number]): string[] {
  return listAt(object, "spec", rules).flatMap((rule) => {
    const named = isMapping(rule)
      ? Object.keys(rule).filter((key) => key.startsWith(peers) && !/^to(Ports|Services)$/.test(key))
      : [];
    const open = listAt(rule, `${peers}Entities`).filter((name) => EVERYBODY.test(String(name)));
    return [
      ...(named.some((key) => isFilled(at(rule, key))) ? [] : [`has a rule for ${rules} without peers`]),
      ...(isFilled(at(rule, "toPorts")) ? [] : [`has a rule for ${rules} without ports`]),
      ...open.map((name) => `has a rule for ${rules} with the entity ${String(name)}`),
    ];
  });
}

function closes(policy: unknown, direction: (typeof DIRECTIONS)[number]): boolean {
  const kinds = at(policy, "spec", "policyTypes");
  if (kinds === UNKNOWN) return true;
  // Kubernetes adds Egress by itself only where there are rules for it.
  if (!Array.isArray(kinds)) return direction === "Ingress" || isFilled(at(policy, "spec", "egress"));
  return kinds.includes(direction);
}

/** Ingresses of the program, and the one in the values of the Temporal chart. */
function ingressRule(): ResourceRule {
  return {
    id: "ingress-tls",
    title: "Ingresses have TLS for each of their hosts.",
    reason: "The UI shows workflows, and its visitors' sessions, to everybody on the way.",
    fix: "add spec.tls with the host and a Secret with its certificate",
    levels: EVERYWHERE,
    scope: "resource",
    check: ({ kind, object }) => {
      if (kind === "Ingress") {
        const hosts = listAt(object, "spec", "rules").map((rule) => at(rule, "host"));
        return uncovered(hosts, listAt(object, "spec", "tls")).map((text) => ({ text }));
      }
      const ingress = at(object, "values", "web", "ingress");
      if (kind !== "Release" || at(ingress, "enabled") !== true) return [];
      const hosts = listAt(ingress, "hosts").map((host) =>
        typeof host === "string" ? host.replace(/\/.*$/, "") : host,
      );
      return uncovered(hosts, listAt(ingress, "tls")).map((text) => ({ part: "web", text }));
    },
  };
}

function uncovered(hosts: readonly unknown[], tls: readonly unknown[]): string[] {
  const covered = tls.flatMap((entry) => listAt(entry, "hosts"));
  if (tls.length === 0) return ["has no TLS"];
  return hosts
    .filter((host) => !covered.some((name) => maybe(name, host)) && !isMapping(host) && host !== UNKNOWN)
    .map((host) => `has no TLS for ${typeof host === "string" ? host : "requests without a host"}`);
}
