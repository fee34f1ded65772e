import assert from "node:assert/strict";
import { BlockList } from "node:net";
import type { Labels } from "../../components/manifests/labels";
import { isValues, type Values } from "../harness";
import { at, listAt } from "../program/stack";

/** A pod on the network. */
export interface PodParty {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
  /** Labels of its namespace, beside the name. */
  readonly namespaceLabels?: Labels;
}

/** Somebody on the network whom no label selects. */
export interface AddressParty {
  readonly name: string;
  readonly address: string;
}

/** Somebody on the network. */
export type Party = PodParty | AddressParty;

/** Whether a label selector selects labels. */
export function matches(selector: unknown, labels: Values): boolean {
  const wanted = at(selector, "matchLabels");
  const equal = !isValues(wanted) || Object.entries(wanted).every(([key, value]) => labels[key] === value);
  return equal && listAt(selector, "matchExpressions").every((expression) => isIn(expression, labels));
}

function isIn(expression: unknown, labels: Values): boolean {
  if (at(expression, "operator") === "Exists") return String(at(expression, "key")) in labels;
  assert.equal(at(expression, "operator"), "In");
  return listAt(expression, "values").includes(labels[String(at(expression, "key"))]);
}

/** Whether an address is in one of the ranges. */
export function isWithin(address: string, cidrs: readonly string[]): boolean {
  const ranges = new BlockList();
  for (const cidr of cidrs) {
    const [network = "", prefix = ""] = cidr.split("/");
    ranges.addSubnet(network, Number(prefix), network.includes(":") ? "ipv6" : "ipv4");
  }
  return ranges.check(address, address.includes(":") ? "ipv6" : "ipv4");
}

function isPeer(peer: unknown, party: Party): boolean {
  const range = at(peer, "ipBlock", "cidr");
  if ("address" in party) return typeof range === "string" && isWithin(party.address, [range]);
  const namespaceLabels = { ...party.namespaceLabels, "kubernetes.io/metadata.name": party.namespace };
  return (
    range === undefined &&
    matches(at(peer, "namespaceSelector"), namespaceLabels) &&
    matches(at(peer, "podSelector"), party.labels)
  );
}

/** Whether the policies let a connection through, by the rules of the NetworkPolicy API. */
export function connects(
  policies: readonly unknown[],
  from: Party,
  to: Party,
  port: number,
  protocol = "TCP",
): boolean {
  const passes = (side: "Ingress" | "Egress", party: Party, other: Party) => {
    if ("address" in party) return true;
    const applying = policies.filter(
      (policy) =>
        at(policy, "metadata", "namespace") === party.namespace &&
        listAt(policy, "spec", "policyTypes").includes(side) &&
        matches(at(policy, "spec", "podSelector"), party.labels),
    );
    const rules = applying.flatMap((policy) => listAt(policy, "spec", side.toLowerCase()));
    const allowed = rules.some(
      (rule) =>
        listAt(rule, side === "Ingress" ? "from" : "to").some((peer) => isPeer(peer, other)) &&
        listAt(rule, "ports").some((item) => at(item, "port") === port && at(item, "protocol") === protocol),
    );
    return applying.length === 0 || allowed;
  };
  return passes("Egress", from, to) && passes("Ingress", to, from);
}
