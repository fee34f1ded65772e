import { UNKNOWN } from "../../../policy/values";
import {
  ACCOUNT,
  AUTOSCALED,
  AUTOSCALER,
  BINDING,
  BUDGET,
  changed,
  CLUSTER,
  CONFIG_MAP,
  declared,
  DEPLOYMENT,
  POLICY,
  RELEASE,
  release,
} from "../manifests";
import { type Case, one } from "./case";

const POD = "spec.template.spec";
const CONTAINER = `${POD}.containers.0`;
const good = declared(DEPLOYMENT);
const policy = declared(POLICY);
const autoscaler = declared(AUTOSCALER);
const chart = release(RELEASE);
const inValues = (path: string, value: unknown) => [release(changed(RELEASE, `values.${path}`, value))];
const TOKEN = `${POD}.automountServiceAccountToken`;
const withToken = one(DEPLOYMENT, TOKEN, true);
const silent = one(DEPLOYMENT, TOKEN, undefined);
const fromMap = changed(changed(DEPLOYMENT, `${CONTAINER}.env`, []), `${CONTAINER}.envFrom`, [
  { configMapRef: { name: "config" } },
]);

/** A budget by the number of pods that stay. */
const keeping = (minAvailable: unknown) =>
  declared(changed(changed(BUDGET, "spec.maxUnavailable", undefined), "spec.minAvailable", minAvailable));

/** Cases of policies that look at the whole stack. */
export const stackCases: Readonly<Record<string, Case>> = {
  "service-account-token": {
    keeps: {
      "no token": [good],
      "a token with rights": [...withToken, declared(BINDING)],
      "an account that withholds it": [...silent, declared(ACCOUNT)],
      "an account whose name is not known yet": [...silent, ...one(ACCOUNT, "metadata.name", UNKNOWN)],
      "the default account that withholds it": [
        ...one(changed(DEPLOYMENT, TOKEN, undefined), `${POD}.serviceAccountName`, undefined),
        ...one(ACCOUNT, "metadata.name", "default"),
      ],
      chart: [chart],
    },
    breaks: {
      "nobody gave it rights": withToken,
      "not switched off": silent,
      "taken in spite of its account": [...withToken, declared(ACCOUNT)],
      "an account that gives it": [...silent, ...one(ACCOUNT, "automountServiceAccountToken", true)],
      "an account that says nothing": [...silent, ...one(ACCOUNT, "automountServiceAccountToken", undefined)],
      "withheld by another account": [...silent, ...one(ACCOUNT, "metadata.name", "other")],
      "withheld in another namespace": [...silent, ...one(ACCOUNT, "metadata.namespace", "other")],
      "rights of another account": [...withToken, ...one(BINDING, "subjects.0.name", "other")],
      "rights in another namespace": [...withToken, ...one(BINDING, "subjects.0.namespace", "other")],
    },
  },
  "heap-limit": {
    keeps: {
      "in its environment": [good],
      "in a ConfigMap": [declared(fromMap), declared(CONFIG_MAP)],
      "another program": one(DEPLOYMENT, "spec.template.metadata.labels", {}),
    },
    breaks: {
      "nothing said": one(DEPLOYMENT, `${CONTAINER}.env`, []),
      "other options": one(DEPLOYMENT, `${CONTAINER}.env`, [
        { name: "NODE_OPTIONS", value: "--trace-warnings" },
      ]),
      "a ConfigMap without it": [declared(fromMap), ...one(CONFIG_MAP, "data.NODE_OPTIONS", undefined)],
      "a ConfigMap of another namespace": [
        declared(fromMap),
        ...one(CONFIG_MAP, "metadata.namespace", "other"),
      ],
    },
  },
  redundancy: {
    keeps: {
      "two pods": [good],
      "an autoscaler's floor": [declared(AUTOSCALED), autoscaler],
      chart: [chart],
      "a cluster of three": [declared(CLUSTER)],
    },
    breaks: {
      "one pod": one(DEPLOYMENT, "spec.replicas", 1),
      "the default": [declared(AUTOSCALED)],
      "an autoscaler from one on": [declared(AUTOSCALED), ...one(AUTOSCALER, "spec.minReplicas", 1)],
      "an autoscaler of something else": [
        declared(AUTOSCALED),
        ...one(AUTOSCALER, "spec.scaleTargetRef.name", "other"),
      ],
      "a role of the server": inValues("server.history.replicaCount", 1),
      "one instance of Postgres": one(CLUSTER, "spec.instances", 1),
    },
  },
  "disruption-budget": {
    keeps: {
      "a budget": [good, declared(BUDGET)],
      "one pod needs none": one(DEPLOYMENT, "spec.replicas", 1),
      chart: [chart],
      "the operator's": [declared(CLUSTER)],
    },
    breaks: {
      none: [good],
      "a budget of other pods": [good, ...one(BUDGET, "spec.selector.matchLabels", { app: "other" })],
      "a budget of another namespace": [good, ...one(BUDGET, "metadata.namespace", "other")],
      "a role of the server": inValues("server.frontend.podDisruptionBudget", undefined),
      "switched off": one(CLUSTER, "spec.enablePDB", false),
    },
  },
  evictable: {
    keeps: {
      "one may go": [good, declared(BUDGET)],
      "one of two stays": [good, keeping(1)],
    },
    breaks: {
      "none may go": [good, ...one(BUDGET, "spec.maxUnavailable", 0)],
      "all stay": [good, keeping("100%")],
      "as many stay as there are": [good, keeping(2)],
    },
  },
  "autoscaled-replicas": {
    keeps: { "no number": [declared(AUTOSCALED), autoscaler], "no autoscaler": [good] },
    breaks: { both: [good, autoscaler] },
  },
  "autoscaler-range": {
    keeps: { "room and a metric": [autoscaler] },
    breaks: {
      "no room": one(AUTOSCALER, "spec.maxReplicas", 2),
      "no metric": one(AUTOSCALER, "spec.metrics", undefined),
    },
  },
  spread: {
    keeps: {
      "by constraints": [good],
      "by anti-affinity": one(
        changed(DEPLOYMENT, `${POD}.topologySpreadConstraints`, undefined),
        `${POD}.affinity`,
        { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{}] } },
      ),
      "one pod": one(changed(DEPLOYMENT, "spec.replicas", 1), `${POD}.topologySpreadConstraints`, undefined),
      chart: [chart],
      Postgres: [declared(CLUSTER)],
    },
    breaks: {
      none: one(DEPLOYMENT, `${POD}.topologySpreadConstraints`, []),
      "a role of the server": inValues("web.topologySpreadConstraints", undefined),
      "Postgres on one node": one(CLUSTER, "spec.affinity", { enablePodAntiAffinity: false }),
    },
  },
  "rollout-capacity": {
    keeps: {
      "pod by pod": [good],
      "one pod": one(changed(DEPLOYMENT, "spec.replicas", 1), "spec.strategy", { type: "Recreate" }),
    },
    breaks: {
      "all at once": one(DEPLOYMENT, "spec.strategy", { type: "Recreate" }),
      "all may be away": one(DEPLOYMENT, "spec.strategy.rollingUpdate.maxUnavailable", "100%"),
    },
  },
  "network-policy-coverage": {
    keeps: {
      "denial of all": [good, chart, declared(CLUSTER), policy],
      "by labels": [
        good,
        ...one(POLICY, "spec.podSelector", { matchLabels: { "app.kubernetes.io/component": "worker" } }),
      ],
      "by expressions": [
        good,
        ...one(POLICY, "spec.podSelector", {
          matchExpressions: [
            { key: "app.kubernetes.io/component", operator: "In", values: ["worker", "other"] },
            { key: "app.kubernetes.io/name", operator: "Exists" },
            { key: "app.kubernetes.io/component", operator: "NotIn", values: ["other"] },
            { key: "debug", operator: "DoesNotExist" },
          ],
        }),
      ],
      "two halves": [
        good,
        ...one(POLICY, "spec.policyTypes", ["Ingress"]),
        ...one(POLICY, "spec.policyTypes", ["Egress"]),
      ],
    },
    breaks: {
      none: [good],
      "other pods": [good, ...one(POLICY, "spec.podSelector", { matchLabels: { app: "other" } })],
      "another namespace": [good, ...one(POLICY, "metadata.namespace", "other")],
      "one direction": [good, ...one(POLICY, "spec.policyTypes", ["Ingress"])],
      "a role of a chart": [
        chart,
        ...one(POLICY, "spec.podSelector", {
          matchExpressions: [{ key: "app.kubernetes.io/component", operator: "NotIn", values: ["web"] }],
        }),
      ],
      "pods of Postgres": [
        declared(CLUSTER),
        ...one(POLICY, "spec.podSelector", { matchLabels: { app: "x" } }),
      ],
    },
  },
};
