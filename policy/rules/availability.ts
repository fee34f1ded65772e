import { EVERYWHERE, kindRule, podRule, PRODUCTION, type RuleText, type StackRule } from "../rule";
import { isTarget, selectsPods } from "../selectors";
import type { Subject } from "../subject";
import { at, isFilled, isSet, numberAt, textAt, UNKNOWN } from "../values";
import { describe, type Workload } from "../workload";
import { workloadsOf } from "../workloads";

/** Longest time that a node's drain may wait for one pod, in seconds. Postgres gets half an hour. */
const LONGEST_GRACE = 1800;

/** The least number of pods that a workload has: the autoscaler's, else its own; unknown counts as enough. */
function leastPods({ subject, replicas }: Workload, subjects: readonly Subject[]): number {
  const autoscaler = subjects.find(
    ({ kind, object }) => kind === "HorizontalPodAutoscaler" && isTarget(object, subject),
  );
  const least = autoscaler === undefined ? replicas : at(autoscaler.object, "spec", "minReplicas");
  if (least === UNKNOWN) return Number.POSITIVE_INFINITY;
  return typeof least === "number" ? least : 1;
}

/** A rule about workloads that are there for good. */
function serviceRule(
  text: RuleText,
  check: (workload: Workload, subjects: readonly Subject[]) => string | undefined,
): StackRule {
  return {
    ...text,
    scope: "stack",
    check: (subjects) =>
      subjects
        .flatMap(workloadsOf)
        .filter(({ longRunning, controlled }) => longRunning && !controlled)
        .flatMap((workload) => {
          const problem = check(workload, subjects);
          const { subject, part } = workload;
          return problem === undefined ? [] : [{ subject, part, text: `${describe(workload)} ${problem}` }];
        }),
  };
}

function isBudgetFor(workload: Workload, { kind, object }: Subject): boolean {
  return kind === "PodDisruptionBudget" && selectsPods(object, at(object, "spec", "selector"), workload);
}

export const availabilityRules = [
  serviceRule(
    {
      id: "redundancy",
      title: "Everything that serves has at least two pods.",
      reason: "One pod is an outage at each rollout, node drain and crash.",
      fix: "raise replicas, or the minimum of the autoscaler, to 2 or more",
      levels: PRODUCTION,
    },
    (workload, subjects) =>
      workload.hidden.includes("replicas") || leastPods(workload, subjects) >= 2
        ? undefined
        : "may have a single pod",
  ),
  serviceRule(
    {
      id: "disruption-budget",
      title: "Workloads of several pods have a PodDisruptionBudget.",
      reason: "Without one a node drain may take all pods at once.",
      fix: "add a PodDisruptionBudget with maxUnavailable: 1 that selects the pods",
      levels: EVERYWHERE,
    },
    (workload, subjects) => {
      if (workload.hidden.includes("budget") || leastPods(workload, subjects) < 2) return undefined;
      const has = workload.budget ?? subjects.some((subject) => isBudgetFor(workload, subject));
      return has === false ? "has no PodDisruptionBudget" : undefined;
    },
  ),
  {
    id: "evictable",
    title: "PodDisruptionBudgets let at least one pod go.",
    reason: "A budget that allows no eviction blocks the drain of its nodes for ever.",
    fix: "use maxUnavailable: 1, or a minAvailable below the number of pods",
    levels: EVERYWHERE,
    scope: "stack",
    check: (subjects) =>
      subjects
        .filter(({ kind }) => kind === "PodDisruptionBudget")
        .filter((budget) => {
          const most = at(budget.object, "spec", "maxUnavailable");
          const least = at(budget.object, "spec", "minAvailable");
          if (most === 0 || most === "0%" || least === "100%") return true;
          const pods = subjects
            .flatMap(workloadsOf)
            .filter((workload) => workload.longRunning && isBudgetFor(workload, budget))
            .map((workload) => leastPods(workload, subjects));
          return typeof least === "number" && pods.length > 0 && least >= Math.min(...pods);
        })
        .map((subject) => ({ subject, text: "allows no eviction" })),
  } satisfies StackRule,
  {
    id: "autoscaled-replicas",
    title: "What an autoscaler scales declares no number of replicas.",
    reason: "Each update would put the number back in the middle of the load that the autoscaler answers.",
    fix: "leave spec.replicas out; the autoscaler's minReplicas is the floor",
    levels: EVERYWHERE,
    scope: "stack",
    // Running objects always have a number: there nobody can tell whose it is.
    check: (subjects) =>
      subjects
        .filter((subject) => subject.urn !== undefined || subject.protect !== undefined)
        .filter((subject) => typeof at(subject.object, "spec", "replicas") === "number")
        .filter((subject) =>
          subjects.some(
            ({ kind, object }) => kind === "HorizontalPodAutoscaler" && isTarget(object, subject),
          ),
        )
        .map((subject) => ({ subject, text: "sets replicas, and an autoscaler does, too" })),
  } satisfies StackRule,
  kindRule(
    {
      id: "autoscaler-range",
      title: "Autoscalers have a floor, a higher ceiling and something to measure.",
      reason: "Equal bounds scale nothing; without a metric there is nothing to scale by.",
      fix: "set minReplicas below maxReplicas, and a metric",
      levels: EVERYWHERE,
    },
    ["HorizontalPodAutoscaler"],
    (object) => {
      const least = numberAt(object, "spec", "minReplicas") ?? 1;
      const most = numberAt(object, "spec", "maxReplicas");
      return [
        ...(most !== undefined && least >= most ? ["has no room between minReplicas and maxReplicas"] : []),
        ...(isFilled(at(object, "spec", "metrics")) ? [] : ["has no metric"]),
      ];
    },
  ),
  serviceRule(
    {
      id: "spread",
      title: "Pods of one workload are spread over nodes.",
      reason: "Two pods on one node are one pod when the node goes.",
      fix: "add topologySpreadConstraints over kubernetes.io/hostname and topology.kubernetes.io/zone",
      levels: PRODUCTION,
    },
    (workload, subjects) => {
      const { spec, hidden } = workload;
      if (hidden.includes("spread") || leastPods(workload, subjects) < 2) return undefined;
      const isSpread =
        isFilled(spec["topologySpreadConstraints"]) || isSet(at(spec, "affinity", "podAntiAffinity"));
      return isSpread ? undefined : "may have all pods on one node";
    },
  ),
  serviceRule(
    {
      id: "rollout-capacity",
      title: "Rollouts of several pods never take all of them away.",
      reason: "A rollout is then an outage, and one that does not come up is a long one.",
      fix: "use strategy RollingUpdate with maxUnavailable: 0",
      levels: EVERYWHERE,
    },
    (workload, subjects) => {
      const { kind, object } = workload.subject;
      if (kind !== "Deployment" || leastPods(workload, subjects) < 2) return undefined;
      const recreates = textAt(object, "spec", "strategy", "type") === "Recreate";
      const all = at(object, "spec", "strategy", "rollingUpdate", "maxUnavailable") === "100%";
      return recreates || all ? "takes all pods away before new ones are up" : undefined;
    },
  ),
  podRule(
    {
      id: "bounded-grace",
      title: `Pods end within ${LONGEST_GRACE} seconds.`,
      reason: "Node drains, rollouts and rollbacks wait for the slowest pod.",
      fix: `set terminationGracePeriodSeconds to what draining takes, at most ${LONGEST_GRACE}`,
      levels: EVERYWHERE,
    },
    ({ spec }) => {
      const seconds = spec["terminationGracePeriodSeconds"];
      return typeof seconds === "number" && seconds > LONGEST_GRACE ? [`may take ${seconds} s to end`] : [];
    },
  ),
  kindRule(
    {
      id: "job-deadline",
      title: "Jobs have a deadline and a limit of retries; schedules never overlap.",
      reason: "A job that hangs holds up the deployment, or piles up behind its schedule.",
      fix: "set activeDeadlineSeconds and backoffLimit, and concurrencyPolicy: Forbid on a CronJob",
      levels: EVERYWHERE,
    },
    ["Job", "CronJob"],
    (object, { kind }) => {
      const spec = kind === "Job" ? at(object, "spec") : at(object, "spec", "jobTemplate", "spec");
      const overlaps = at(object, "spec", "concurrencyPolicy") ?? "Allow";
      return [
        ...["activeDeadlineSeconds", "backoffLimit"]
          .filter((key) => !isSet(at(spec, key)))
          .map((key) => `has no ${key}`),
        ...(kind === "CronJob" && overlaps === "Allow" ? ["lets its jobs overlap"] : []),
      ];
    },
  ),
];
