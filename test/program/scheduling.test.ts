import assert from "node:assert/strict";
import { openApiProblems } from "../../settings/openapi/validate";
import { parseSettings } from "../../settings/settings";
import { chartSections } from "../components/samples";
import { refusal, source } from "../components/refusal";
import type { Deployment, Values } from "../harness";
import { valuesProblems } from "../local/charts/values";
import { at, deployStack, objectsOf, STACKS } from "./stack";

const pool = (name: string) => ({ nodeSelector: { pool: name } });
const TOLERATIONS = [{ key: "spot", operator: "Exists" }];

/** Where the pods of everything that a stack deploys are described, by resource or part of a chart. */
function placements({ registrations }: Deployment): Record<string, Values> {
  const found: Record<string, Values> = {};
  const add = (name: string, where: unknown) => {
    found[name] = {
      nodeSelector: at(where, "nodeSelector"),
      tolerations: at(where, "tolerations"),
      priorityClassName: at(where, "priorityClassName"),
    };
  };
  for (const { name, inputs, type } of registrations) {
    if (type.endsWith(":Release") && inputs["chart"] === "cloudnative-pg") add("operator", inputs["values"]);
    else if (type.endsWith(":Release")) {
      for (const role of ["frontend", "history", "matching", "worker"])
        add(role, at(inputs, "values", "server", role));
      for (const part of ["web", "admintools"]) add(part, at(inputs, "values", part));
    } else if (type.endsWith(":Cluster")) {
      const affinity = at(inputs, "spec", "affinity");
      found["postgres"] = {
        nodeSelector: at(affinity, "nodeSelector"),
        tolerations: at(affinity, "tolerations"),
        priorityClassName: at(inputs, "spec", "priorityClassName"),
      };
    } else {
      const pod =
        at(inputs, "spec", "template", "spec") ??
        at(inputs, "spec", "jobTemplate", "spec", "template", "spec");
      if (pod !== undefined) add(name, pod);
    }
  }
  return found;
}

const deployed = (scheduling: Values, changes: Values = {}, stack: (typeof STACKS)[number] = "prod") =>
  deployStack(stack, { changes: { "temporal-stack:scheduling": scheduling, ...changes } });

describe("scheduling", () => {
  it("holds for every pod of the stack by default", async () => {
    for (const stack of STACKS) {
      const deployment = await deployed(
        { default: { ...pool("temporal"), tolerations: TOLERATIONS } },
        {},
        stack,
      );
      const found = placements(deployment);
      assert.ok(Object.keys(found).length >= (stack === "local" ? 2 : 11), Object.keys(found).join());
      for (const [name, { nodeSelector, tolerations }] of Object.entries(found)) {
        assert.equal(at(nodeSelector, "pool"), "temporal", name);
        assert.deepEqual(tolerations, TOLERATIONS, name);
      }
      assert.deepEqual(
        objectsOf(deployment).flatMap(({ inputs }) => openApiProblems(inputs)),
        [],
      );
    }
  });

  it("leaves everything as it is where nothing is set", async () => {
    for (const [name, placement] of Object.entries(placements(await deployStack("prod")))) {
      const { nodeSelector, ...others } = placement;
      assert.deepEqual(others, { tolerations: undefined, priorityClassName: undefined }, name);
      if (!name.startsWith("worker-")) assert.equal(nodeSelector, undefined, name);
    }
  });

  it("places each part by itself, field by field", async () => {
    const parts = [
      "frontend",
      "history",
      "matching",
      "worker",
      "ui",
      "postgres",
      "operator",
      "jobs",
      "workers",
    ];
    const deployment = await deployed(
      {
        default: { ...pool("other"), tolerations: TOLERATIONS },
        ...Object.fromEntries(parts.map((part) => [part, pool(part)])),
      },
      {
        "temporal-stack:workers": [
          { name: "orders", taskQueues: ["orders"] },
          { name: "billing", taskQueues: ["billing"], pod: pool("billing") },
        ],
      },
    );
    const found = placements(deployment);
    const pools = Object.fromEntries(
      Object.entries(found).map(([name, { nodeSelector }]) => [name, at(nodeSelector, "pool")]),
    );
    assert.deepEqual(pools, {
      frontend: "frontend",
      history: "history",
      matching: "matching",
      worker: "worker",
      web: "ui",
      admintools: "jobs",
      operator: "operator",
      postgres: "postgres",
      "postgres-operator-gate": "jobs",
      "temporal-namespaces-job": "jobs",
      "temporal-namespaces-schedule": "jobs",
      "worker-orders-deployment": "workers",
      "worker-billing-deployment": "billing",
    });
    for (const [name, { tolerations }] of Object.entries(found))
      assert.deepEqual(tolerations, TOLERATIONS, name);
  });

  it("sets only what the charts take", async () => {
    const affinity = { nodeAffinity: {}, podAntiAffinity: {} };
    const everything = { ...pool("temporal"), tolerations: TOLERATIONS, affinity };
    const { registrations } = await deployed({
      default: everything,
      ...Object.fromEntries(
        ["postgres", "operator", "jobs", "workers"].map((part) => [part, { priorityClassName: "important" }]),
      ),
    });
    const releases = registrations.filter(({ type }) => type.endsWith(":Release"));
    assert.equal(releases.length, 2);
    for (const { inputs } of releases) {
      const chart = inputs["chart"];
      assert.ok(chart === "temporal" || chart === "cloudnative-pg");
      assert.deepEqual(valuesProblems(chart, inputs["values"]), []);
    }
    const cluster = registrations.find(({ type }) => type.endsWith(":Cluster"))?.inputs;
    assert.deepEqual(at(cluster, "spec", "affinity"), {
      enablePodAntiAffinity: true,
      podAntiAffinityType: "required",
      topologyKey: "kubernetes.io/hostname",
      nodeSelector: { pool: "temporal" },
      tolerations: TOLERATIONS,
      nodeAffinity: {},
      additionalPodAntiAffinity: {},
    });
    assert.equal(at(cluster, "spec", "priorityClassName"), "important");
  });

  it("refuses a priority class that the pinned chart would leave out, and hands it to one that takes it", async () => {
    const important = { priorityClassName: "important" };
    for (const scheduling of [{ history: important }, { default: important }]) {
      assert.match(
        refusal({ ...chartSections(), scheduling }),
        /^1 problem[^]*scheduling\.(history|default)\.priorityClassName .*does not reach the pods of the Temporal chart 1\.6\.0.*chartVersion to 1\.7\.0/,
      );
    }
    const newer = { ...chartSections({ chartVersion: "1.7.0" }), scheduling: { default: important } };
    assert.equal(parseSettings(source(newer)).scheduling.default.priorityClassName, "important");
    assert.match(
      refusal({ ...chartSections(), scheduling: { default: { priorityClassName: "system-node-critical" } } }),
      /other than the cluster's own/,
    );
  });
});
