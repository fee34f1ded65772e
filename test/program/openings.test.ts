import assert from "node:assert/strict";
import { openApiProblems } from "../../settings/openapi/validate";
import type { Deployment, Values } from "../harness";
import { at, deployStack, mappingAt, objectsOf, stackConfig } from "./stack";

const section = (name: string, changes: Values, stack: "local" | "dev" | "prod" = "prod"): Values => {
  const key = `temporal-stack:${name}`;
  return { [key]: { ...mappingAt(stackConfig(stack), key), ...changes } };
};

const valuesOf = ({ registrations }: Deployment, chart: string) =>
  registrations.find(({ inputs }) => inputs["chart"] === chart)?.inputs["values"];

/** Every text under a key of images, wherever it is. */
function imagesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(imagesIn);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    if (key === "image" && typeof inner === "object") return [String(at(inner, "repository"))];
    return (key === "image" || key === "imageName") && typeof inner === "string" ? [inner] : imagesIn(inner);
  });
}

describe("openings", () => {
  it("reach the chart's values and the Cluster, over what the program sets and beside it", async () => {
    const deployment = await deployStack("prod", {
      changes: {
        ...section("temporal", {
          chartValues: {
            server: { metrics: { serviceMonitor: { enabled: true } } },
            web: { podAnnotations: { a: "b" } },
          },
        }),
        ...section("postgres", { clusterSpec: { logLevel: "debug", primaryUpdateMethod: "restart" } }),
      },
    });
    const values = valuesOf(deployment, "temporal");
    assert.equal(at(values, "server", "metrics", "serviceMonitor", "enabled"), true);
    assert.equal(at(values, "server", "history", "replicaCount"), 3);
    assert.equal(at(values, "web", "podAnnotations", "a"), "b");
    assert.match(
      String(at(values, "server", "config", "persistence", "datastores", "default", "sql", "existingSecret")),
      /^temporal-pg-login-a/,
    );
    const [cluster] = objectsOf(deployment, "Cluster");
    assert.equal(at(cluster?.inputs, "spec", "logLevel"), "debug");
    assert.equal(at(cluster?.inputs, "spec", "primaryUpdateMethod"), "restart");
    assert.equal(at(cluster?.inputs, "spec", "instances"), 3);
    assert.deepEqual(
      objectsOf(deployment).flatMap(({ inputs }) => openApiProblems(inputs)),
      [],
    );
  });

  it("change nothing where they are not used", async () => {
    const [unused, empty] = await Promise.all([
      deployStack("prod"),
      deployStack("prod", {
        changes: { ...section("temporal", { chartValues: {} }), ...section("postgres", { clusterSpec: {} }) },
      }),
    ]);
    assert.deepEqual(valuesOf(empty, "temporal"), valuesOf(unused, "temporal"));
  });
});

describe("mirror of all images", () => {
  const MIRROR = "mirror.example.com/all/";
  const imagePull = { "temporal-stack:imagePull": { mirror: "mirror.example.com/all" } };

  const stacks: readonly [title: string, stack: "local" | "dev" | "prod", changes: Values][] = [
    ["a dev server", "local", {}],
    ["the chart and Postgres in the cluster", "prod", {}],
    [
      "the chart and a managed Postgres",
      "prod",
      {
        "temporal-stack:postgres": {
          mode: "managed",
          host: "postgres.example.com",
          user: "temporal",
          passwordSecret: { name: "postgres" },
          maxConnections: 1000,
        },
      },
    ],
  ];
  for (const [title, stack, changes] of stacks) {
    it(`holds for ${title}`, async () => {
      const deployment = await deployStack(stack, { changes: { ...changes, ...imagePull } });
      const worker = String(deployment.outputs["workerImage"]);
      const images = deployment.registrations
        .filter(({ type }) => type.startsWith("kubernetes:"))
        .flatMap(({ inputs }) => imagesIn(inputs))
        .filter((image) => image !== worker);
      assert.ok(images.length >= (stack === "local" ? 1 : 5), images.join());
      assert.deepEqual(
        images.filter((image) => !image.startsWith(MIRROR)),
        [],
      );
    });
  }
});
