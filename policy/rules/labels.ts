import { isMapping } from "../../settings/mapping";
import { EVERYWHERE, kindRule, type ResourceRule, type RuleText, SHARED } from "../rule";
import { isInDefault } from "../scope";
import type { Subject } from "../subject";
import { at, isSet, UNKNOWN } from "../values";

const IDENTITY = ["app.kubernetes.io/managed-by", "app.kubernetes.io/part-of", "temporal-stack/stack"];
/** What breaks, and where it is. */
const OWNED = ["Namespace", "Deployment", "StatefulSet", "DaemonSet", "CronJob", "Cluster"];

/** A rule about every Kubernetes object that the program itself declares. */
function objectRule(text: RuleText, check: (subject: Subject) => readonly string[]): ResourceRule {
  return {
    ...text,
    scope: "resource",
    check: (subject) =>
      isMapping(subject.object["metadata"]) && subject.kind !== "Release"
        ? check(subject).map((problem) => ({ text: problem }))
        : [],
  };
}

/** What an object lacks of some labels. */
function missingLabels(object: unknown, keys: readonly string[]): string[] {
  const labels = at(object, "metadata", "labels");
  const missing = labels === UNKNOWN ? [] : keys.filter((key) => !isSet(at(labels, key)));
  return missing.length === 0 ? [] : [`lacks the label ${missing.join(", ")}`];
}

export const labelRules = [
  objectRule(
    {
      id: "identity-labels",
      title: "Objects say which stack they belong to.",
      reason:
        "Nobody can tell what may be deleted by hand, and drift reports cannot find what a stack left behind.",
      fix: `add the labels ${IDENTITY.join(", ")}: stackLabels() has them`,
      levels: EVERYWHERE,
    },
    ({ object }) => missingLabels(object, IDENTITY),
  ),
  kindRule(
    {
      id: "owner-label",
      title: "Namespaces, and what runs in them, say who is called when they break.",
      reason: "At night nobody looks up who looks after a namespace.",
      fix: "set `owner` in `temporal-stack:labels` of the stack file",
      levels: SHARED,
    },
    OWNED,
    (object) => missingLabels(object, ["owner"]),
  ),
  objectRule(
    {
      id: "own-namespace",
      title: "Objects are in a namespace of their own, not in `default`.",
      reason: "In `default` neither Pod Security nor NetworkPolicies of the stack hold.",
      fix: "set metadata.namespace to a namespace of the stack",
      levels: EVERYWHERE,
    },
    ({ kind = "", object }) => (isInDefault(object, kind) ? ["is in the namespace default"] : []),
  ),
];
