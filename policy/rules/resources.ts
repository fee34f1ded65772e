import { containerRule, EVERYWHERE, podRule, type StackRule, SHARED } from "../rule";
import type { Subject } from "../subject";
import { at, isSet, listAt, maybe, textAt, UNKNOWN } from "../values";
import type { Workload } from "../workload";
import { workloadsOf } from "../workloads";

/** Programs of this project that run on Node.js, by the label with their name. */
const NODE_PROGRAMS = ["temporal-worker", "temporal-codec-server"];
const NAME = "app.kubernetes.io/name";
const HEAP = /--max-old-space-size(-percentage)?=/;

const counts = ({ hidden }: Workload) => !hidden.includes("resources");

export const resourceRules = [
  containerRule(
    {
      id: "resource-requests",
      title: "Containers request CPU and memory.",
      reason:
        "Without requests nodes are overbooked, such pods are evicted first, and an autoscaler on CPU is blind.",
      fix: "set resources.requests.cpu and resources.requests.memory to what the program uses when busy",
      levels: EVERYWHERE,
    },
    (container, workload) => {
      const missing = ["cpu", "memory"].filter((key) => !isSet(at(container, "resources", "requests", key)));
      return missing.length === 0 || !counts(workload)
        ? undefined
        : `requests no ${missing.join(" and no ")}`;
    },
  ),
  containerRule(
    {
      id: "memory-limit",
      title: "Containers have a memory limit.",
      reason: "A leak then ends one container instead of the node with everything on it.",
      fix: "set resources.limits.memory",
      levels: EVERYWHERE,
    },
    (container, workload) =>
      !counts(workload) || isSet(at(container, "resources", "limits", "memory"))
        ? undefined
        : "has no memory limit",
  ),
  {
    id: "heap-limit",
    title: "Node.js programs with a memory limit say how much of it is heap.",
    reason:
      "The limit also holds what lies beside the heap: a heap that knows nothing of it is ended by the kernel, in the middle of its tasks.",
    fix: "set NODE_OPTIONS with --max-old-space-size-percentage in the container's environment",
    levels: EVERYWHERE,
    scope: "stack",
    check: (subjects) =>
      subjects
        .flatMap(workloadsOf)
        .filter(({ labels }) => NODE_PROGRAMS.includes(textAt(labels, NAME) ?? ""))
        .flatMap((workload) =>
          workload.containers
            .filter((container) => isSet(at(container, "resources", "limits", "memory")))
            .filter((container) => !hasHeapSetting(container, workload, subjects))
            .map(() => ({
              subject: workload.subject,
              text: "has a memory limit, and no limit for its heap",
            })),
        ),
  } satisfies StackRule,
  podRule(
    {
      id: "volume-limit",
      title: "Volumes of type emptyDir have a size limit.",
      reason: "A pod that fills the node's disk takes every other pod of that node with it.",
      fix: "set emptyDir.sizeLimit",
      levels: SHARED,
    },
    ({ spec }) =>
      listAt(spec, "volumes")
        .filter((volume) => isSet(at(volume, "emptyDir")) && !isSet(at(volume, "emptyDir", "sizeLimit")))
        .map(() => "has an emptyDir without sizeLimit"),
  ),
];

/** In the container's own environment, or in a ConfigMap of the same stack that it takes all of. */
function hasHeapSetting(container: unknown, workload: Workload, subjects: readonly Subject[]): boolean {
  if (at(container, "env") === UNKNOWN || at(container, "envFrom") === UNKNOWN) return true;
  const own = listAt(container, "env").find((entry) => maybe(at(entry, "name"), "NODE_OPTIONS"));
  if (own !== undefined) return isHeapSetting(at(own, "value"));
  return listAt(container, "envFrom")
    .map((source) => at(source, "configMapRef", "name"))
    .filter(isSet)
    .some((name) => {
      if (name === UNKNOWN) return true;
      const map = subjects.find(
        ({ kind, object }) =>
          kind === "ConfigMap" &&
          at(object, "metadata", "name") === name &&
          at(object, "metadata", "namespace") === workload.namespace,
      );
      return isHeapSetting(at(map?.object, "data", "NODE_OPTIONS"));
    });
}

function isHeapSetting(value: unknown): boolean {
  return value === UNKNOWN || (typeof value === "string" && HEAP.test(value));
}
