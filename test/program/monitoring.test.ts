import assert from "node:assert/strict";
import { deployerNamespaceRules } from "../../components/manifests/deployer";
import { openApiProblems } from "../../settings/openapi/validate";
import type { Deployment, Values } from "../harness";
import { connects, type PodParty } from "../support/networkPolicyRules";
import { stackSettings } from "../support/stackSettings";
import { type Pod, podsOf } from "./pods";
import { at, deployStack, listAt, mappingAt, objectsOf, withDeadCluster } from "./stack";

const PROMETHEUS = { namespace: "monitoring", podLabels: { app: "prometheus" } };
const MONITORING = { mode: "resources", prometheus: PROMETHEUS, labels: { release: "prometheus" } };
const prometheus: PodParty = {
  name: "prometheus",
  namespace: PROMETHEUS.namespace,
  labels: PROMETHEUS.podLabels,
};

/** Ports of the containers by the names that charts and operators give them. */
const METRICS_PORTS: Readonly<Record<string, number>> = {
  "temporal-server": 9090,
  "temporal-workers": 9464,
  "temporal-postgres": 9187,
  "temporal-postgres-operator": 8080,
};

const jobOf = (monitor: Values): string =>
  String(
    listAt(monitor, "spec", "podMetricsEndpoints", 0, "relabelings").flatMap((relabeling) =>
      at(relabeling, "targetLabel") === "job" ? [at(relabeling, "replacement")] : [],
    )[0],
  );

const monitored = (deployment: Deployment, monitor: Values): Pod[] =>
  podsOf(deployment).filter(
    (pod) =>
      pod.namespace === at(monitor, "metadata", "namespace") &&
      pod.isSelectedBy(mappingAt(monitor, "spec", "selector", "matchLabels")) &&
      pod.ports.includes(METRICS_PORTS[jobOf(monitor)] ?? 0),
  );

describe("monitoring.mode resources", () => {
  let deployment: Deployment;
  let monitors: Values[];

  before(async () => {
    deployment = await deployStack("prod", { changes: { "temporal-stack:monitoring": MONITORING } });
    monitors = objectsOf(deployment, "PodMonitor").map(({ inputs }) => inputs);
  });

  it("is left out unless it is asked for", async () => {
    const { registrations } = await deployStack("prod");
    assert.ok(!registrations.some(({ name }) => name.startsWith("monitoring")));
  });

  it("makes objects that the operator's resource definitions admit, with the labels that are asked for", () => {
    assert.deepEqual(monitors.map(jobOf).sort(), Object.keys(METRICS_PORTS).sort());
    for (const monitor of monitors) {
      assert.deepEqual(openApiProblems(monitor), []);
      assert.equal(at(monitor, "metadata", "labels", "release"), "prometheus");
      assert.equal(at(monitor, "metadata", "labels", "temporal-stack/stack"), "prod");
    }
  });

  it("selects every pod with a metrics port once, which Prometheus then reaches, and nobody else", () => {
    const policies = objectsOf(deployment, "NetworkPolicy").map(({ inputs }) => inputs);
    const selected = monitors.flatMap((monitor) =>
      monitored(deployment, monitor).map((pod) => ({ pod, port: METRICS_PORTS[jobOf(monitor)] ?? 0 })),
    );
    assert.deepEqual(selected.map(({ pod }) => pod.name).sort(), [
      "frontend",
      "history",
      "instance",
      "matching",
      "operator",
      "worker",
      "worker-orders-deployment",
    ]);
    for (const { pod, port } of selected) {
      assert.ok(connects(policies, prometheus, pod, port, "TCP"), pod.name);
      assert.ok(!connects(policies, { ...prometheus, labels: {} }, pod, port, "TCP"), pod.name);
    }
  });

  it("tells worker groups and stacks apart, and Temporal's namespaces from those of Kubernetes", () => {
    const workers = monitors.find((monitor) => jobOf(monitor) === "temporal-workers");
    const endpoint = mappingAt(workers, "spec", "podMetricsEndpoints", 0);
    const targets = Object.fromEntries(
      listAt(endpoint, "relabelings").map((relabeling) => [
        String(at(relabeling, "targetLabel")),
        at(relabeling, "replacement") ?? at(relabeling, "sourceLabels", 0),
      ]),
    );
    assert.deepEqual(targets, {
      job: "temporal-workers",
      stack: "prod",
      worker_group: "orders",
      revision: "__meta_kubernetes_pod_label_pod_template_hash",
    });
    for (const monitor of monitors) {
      const renamed = listAt(monitor, "spec", "podMetricsEndpoints", 0, "metricRelabelings").some(
        (relabeling) => at(relabeling, "targetLabel") === "temporal_namespace",
      );
      assert.equal(renamed, /server|workers/.test(jobOf(monitor)), jobOf(monitor));
    }
  });

  it("has one monitor for each worker group, and none for what the stack does not run", async () => {
    const workers = ["orders", "billing"].map((name) => ({ name, taskQueues: [name] }));
    const small = await deployStack("local", {
      changes: { "temporal-stack:monitoring": MONITORING, "temporal-stack:workers": workers },
    });
    const names = objectsOf(small, "PodMonitor").map(({ registration }) => registration.name);
    assert.deepEqual(names, ["monitoring-worker-orders", "monitoring-worker-billing"]);
  });

  it("has the rules of the alerts, where Prometheus selects them", () => {
    const rules = objectsOf(deployment, "PrometheusRule").map(({ inputs }) => inputs);
    assert.equal(rules.length, 1);
    assert.deepEqual(openApiProblems(mappingAt(rules, 0)), []);
    assert.equal(at(rules, 0, "metadata", "labels", "release"), "prometheus");
    const groups = listAt(rules, 0, "spec", "groups").map((group) => at(group, "name"));
    assert.deepEqual(groups, [
      "temporal-slo",
      "temporal-server",
      "temporal-workers",
      "temporal-postgres",
      "temporal-targets",
    ]);
  });

  it("leaves out a group whose program publishes no metrics", async () => {
    const workers = ["orders", "billing"].map((name) => ({ name, taskQueues: [name] }));
    const silent = await deployStack("local", {
      changes: {
        "temporal-stack:monitoring": { ...MONITORING, groupsWithoutMetrics: ["billing"] },
        "temporal-stack:workers": workers,
      },
    });
    const names = objectsOf(silent, "PodMonitor").map(({ registration }) => registration.name);
    assert.deepEqual(names, ["monitoring-worker-orders"]);
    assert.doesNotMatch(JSON.stringify(objectsOf(silent, "PrometheusRule")), /billing/);
  });

  it("is within the deployer's permissions", () => {
    const settings = stackSettings("prod", { monitoring: MONITORING });
    for (const monitor of monitors) {
      const rules = deployerNamespaceRules(settings, String(at(monitor, "metadata", "namespace")));
      const rule = rules.find(({ resources }) => resources.includes("podmonitors"));
      assert.deepEqual(rule?.resources, ["podmonitors", "prometheusrules"]);
      assert.deepEqual(rule.verbs, ["get", "list", "watch", "create", "patch", "update", "delete"]);
    }
    const without = deployerNamespaceRules(stackSettings("prod"), "temporal");
    assert.ok(!without.some(({ resources }) => resources.includes("podmonitors")));
  });

  it("asks for the operator's resource types before anything is made, and goes on where nobody answers", async () => {
    const hook = deployment.hooks.get("monitoring-resource-types");
    assert.ok(hook);
    const objects = ["PodMonitor", "PrometheusRule"].flatMap((kind) => objectsOf(deployment, kind));
    for (const { registration } of objects)
      assert.ok(registration.hooks.beforeCreate.includes(hook.name), registration.name);
    await withDeadCluster(async () => {
      await hook.callback({ urn: "", id: "", name: "", type: "" });
    });
  });
});
