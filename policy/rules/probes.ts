import { containerRule, EVERYWHERE } from "../rule";
import { at, isSet, listAt } from "../values";
import type { Workload } from "../workload";

/** Init containers end, and pods that run to their end need nobody to ask them. */
function isAsked(
  probe: "readiness" | "liveness",
  container: unknown,
  { longRunning, hidden, spec }: Workload,
): boolean {
  return longRunning && !hidden.includes(probe) && !listAt(spec, "initContainers").includes(container);
}

export const probeRules = [
  containerRule(
    {
      id: "readiness-probe",
      title: "Long-running containers have a readiness probe.",
      reason: "Without one a rollout goes on while new pods are not up, and traffic reaches them too early.",
      fix: "add a readinessProbe that fails until the program can do its work",
      levels: EVERYWHERE,
    },
    (container, workload) =>
      !isAsked("readiness", container, workload) || isSet(at(container, "readinessProbe"))
        ? undefined
        : "has no readinessProbe",
  ),
  containerRule(
    {
      id: "liveness-probe",
      title: "Long-running containers have a liveness probe.",
      reason: "A program that hangs keeps its pod, its memory and its share of the work for ever.",
      fix: "add a livenessProbe that fails only when a restart helps",
      levels: EVERYWHERE,
    },
    (container, workload) =>
      !isAsked("liveness", container, workload) || isSet(at(container, "livenessProbe"))
        ? undefined
        : "has no livenessProbe",
  ),
];
