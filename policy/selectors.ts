import type { Subject } from "./subject";
import { at, isSet, listAt, mappingAt, UNKNOWN } from "./values";
import type { Workload } from "./workload";

/** Whether a label selector selects labels, or may turn out to. An empty one selects everything. */
export function selects(selector: unknown, labels: unknown): boolean {
  if (selector === UNKNOWN || labels === UNKNOWN) return true;
  const equal = Object.entries(mappingAt(selector, "matchLabels")).every(([key, value]) =>
    isEqual(at(labels, key), value),
  );
  return equal && listAt(selector, "matchExpressions").every((expression) => holds(expression, labels));
}

function isEqual(found: unknown, wanted: unknown): boolean {
  return found === UNKNOWN || wanted === UNKNOWN || found === wanted;
}

function holds(expression: unknown, labels: unknown): boolean {
  const found = at(labels, String(at(expression, "key")));
  const isListed = () => listAt(expression, "values").some((value) => isEqual(found, value));
  switch (at(expression, "operator")) {
    case "In":
      return isListed();
    case "NotIn":
      return !isListed();
    case "Exists":
      return isSet(found);
    case "DoesNotExist":
      return !isSet(found);
    default:
      return true;
  }
}

/** Whether an object that selects pods selects those of a workload: same namespace, matching labels. */
export function selectsPods(object: unknown, selector: unknown, { namespace, labels }: Workload): boolean {
  return isEqual(at(object, "metadata", "namespace"), namespace) && selects(selector, labels);
}

/** Whether an autoscaler is for an object. */
export function isTarget(autoscaler: unknown, { kind, object }: Subject): boolean {
  const target = at(autoscaler, "spec", "scaleTargetRef") ?? at(autoscaler, "spec", "targetRef");
  return (
    isEqual(at(target, "kind"), kind) &&
    isEqual(at(target, "name"), at(object, "metadata", "name")) &&
    isEqual(at(autoscaler, "metadata", "namespace"), at(object, "metadata", "namespace"))
  );
}
