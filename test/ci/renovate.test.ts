import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { charts, type ImagePin, images, plugins, tools } from "../../settings/versions";
import { PROJECT_ROOT } from "../program/stack";

const managerSchema = z.object({
  customType: z.literal("regex"),
  managerFilePatterns: z.tuple([z.string()]),
  matchStrings: z.tuple([z.string()]),
  datasourceTemplate: z.string(),
  depNameTemplate: z.string().optional(),
});
const textOf = (file: string) => readFileSync(join(PROJECT_ROOT, file), "utf8");
const { customManagers } = z
  .object({ customManagers: z.array(managerSchema) })
  .parse(JSON.parse(textOf("renovate.json")));

/** What Renovate finds in settings/versions.ts: as it does, with the expressions applied again and again. */
const found = customManagers.flatMap(
  ({ managerFilePatterns, matchStrings, datasourceTemplate, depNameTemplate }) => {
    const file = new RegExp(managerFilePatterns[0].slice(1, -1));
    assert.ok(file.test("settings/versions.ts"));
    return [...textOf("settings/versions.ts").matchAll(new RegExp(matchStrings[0], "g"))].map(
      ({ groups = {} }) => ({
        datasource: datasourceTemplate,
        name: depNameTemplate ?? groups["depName"],
        value: groups["currentValue"],
        digest: groups["currentDigest"],
        registry: groups["registryUrl"],
      }),
    );
  },
);
const by = (source: string) => found.filter(({ datasource }) => datasource === source);

describe("renovate.json", () => {
  it("finds every chart", () => {
    assert.deepEqual(
      by("helm").map(({ name, value, registry }) => [registry, name, value]),
      Object.values(charts).map(({ repository, name, version }) => [repository, name, version]),
    );
  });

  it("finds every image, with its digest", () => {
    assert.deepEqual(
      by("docker").map(({ name, value, digest }) => [name, value, digest]),
      Object.values<ImagePin>(images).map(({ repository, tag, digest }) => [repository, tag, digest]),
    );
  });

  it("finds every tool and every plugin once, under the name that go.mod and package.json have", () => {
    const others = found.filter(({ datasource }) => !["helm", "docker"].includes(datasource));
    assert.deepEqual(
      others.map(({ value }) => value),
      [...Object.values(tools), ...Object.values(plugins)],
    );
    assert.deepEqual(
      by("npm").map(({ name }) => name),
      Object.keys(plugins).map((name) => `@pulumi/${name}`),
    );
  });
});
