import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { root } from "../folders";
import { hashOf } from "../../toolchain/mirror";
import { isMapping, type Mapping } from "../../../settings/mapping";
import { charts, tools } from "../../../settings/versions";
import { makeChartRepository } from "../../../local/charts/archives";
import { fileServer } from "../../../local/charts/server";
import { assetsFolder } from "../../../toolchain/goBuild";
import { programs } from "../../../toolchain/programs";
import { type ChartName, chartSources, sampleValues, valuesProblems } from "./values";

const chartNames = Object.keys(sampleValues) as ChartName[];

/** Copies of values, each with one more key in another of their mappings. */
function withUnknownKey(values: Mapping, path = ""): [path: string, values: Mapping][] {
  return [
    [path, { ...values, unknownKey: 1 }],
    ...Object.entries(values).flatMap(([key, value]) =>
      isMapping(value)
        ? withUnknownKey(value, `${path}${key}.`).map(([at, inner]): [string, Mapping] => [
            at,
            { ...values, [key]: inner },
          ])
        : [],
    ),
  ];
}

/** Mappings that belong to Kubernetes or to the server, not to the chart. */
const OPEN =
  /(requests|limits|securityContext|containerSecurityContext|seccompProfile|readinessProbe|tcpSocket|capabilities|podAnnotations|annotations|dynamicConfig|clusterInformation|nodeSelector|affinity|nodeAffinity|tolerations)\./i;

describe("charts that stand in for the official ones", () => {
  it("are of the official charts' names and versions", () => {
    assert.deepEqual(readdirSync(chartSources).sort(), [...chartNames].sort());
    const described = [charts.temporal, charts.cloudNativePg].map(({ name, version }) => ({
      name,
      version,
      appVersion: { temporal: tools.temporalServer, "cloudnative-pg": tools.cloudNativePg }[name],
    }));
    for (const chart of described) {
      const { name, version, appVersion } = z
        .looseObject({ name: z.string(), version: z.string(), appVersion: z.string() })
        .parse(parse(readFileSync(join(chartSources, chart.name, "Chart.yaml"), "utf8")));
      assert.deepEqual({ name, version, appVersion }, chart);
    }
  });

  for (const name of chartNames) {
    it(`${name}: takes what the program sets, and no other key anywhere`, () => {
      assert.deepEqual(valuesProblems(name, sampleValues[name]), []);
      const changed = withUnknownKey(sampleValues[name]).filter(([path]) => !OPEN.test(path));
      assert.ok(changed.length > 2);
      for (const [path, values] of changed) {
        assert.ok(
          valuesProblems(name, values).join("\n").includes("unknownKey"),
          `${path}unknownKey is taken`,
        );
      }
    });
  }

  it("temporal: refuses what a stack must never set", () => {
    const { server } = sampleValues.temporal;
    const { sql } = server.config.persistence.datastores.default;
    const withStore = (changes: Mapping): Mapping => ({
      ...sampleValues.temporal,
      server: {
        ...server,
        config: {
          ...server.config,
          persistence: {
            ...server.config.persistence,
            datastores: { ...server.config.persistence.datastores, default: { sql: { ...sql, ...changes } } },
          },
        },
      },
    });
    for (const changes of [
      { password: "in plain text" },
      { createDatabase: true },
      { connectAddr: "host-without-port" },
      { tls: { enabled: false, enableHostVerification: true } },
    ]) {
      assert.equal(valuesProblems("temporal", withStore(changes)).length, 1, JSON.stringify(changes));
    }
  });
});

describe("chart repository", () => {
  const folder = join(root, "chart-repository");

  before(() => {
    const operator = assetsFolder(programs.cloudNativePg);
    mkdirSync(join(operator, "crds"), { recursive: true });
    for (const file of ["crds/a.yaml", "role.yaml", "webhooks.yaml", "monitoring.yaml"])
      writeFileSync(join(operator, file), "kind: Nothing\n");
  });

  it("has the same archives whenever it is made of the same sources", async () => {
    const digests = (entries: readonly { digest: string }[]) => entries.map(({ digest }) => digest);
    const first = await makeChartRepository(folder);
    const second = await makeChartRepository(join(root, "chart-repository-2"));
    assert.deepEqual(digests(first), digests(second));
    for (const { urls, digest } of first)
      for (const file of urls) assert.equal(hashOf(readFileSync(join(folder, file))), digest);
  });

  it("lists them in its index", async () => {
    const charts = await makeChartRepository(folder);
    assert.deepEqual(parse(readFileSync(join(folder, "index.yaml"), "utf8")), {
      apiVersion: "v1",
      entries: Object.fromEntries(charts.map((chart) => [chart.name, [chart]])),
    });
  });

  it("serves its files and nothing else", async () => {
    writeFileSync(join(root, "outside"), "secret");
    const server = fileServer(folder);
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { port } = server.address() as AddressInfo;
    const status = (path: string): Promise<number | undefined> =>
      new Promise((done, failed) => {
        request({ port, path, host: "127.0.0.1" }, (response) => {
          response.resume();
          done(response.statusCode);
        })
          .on("error", failed)
          .end();
      });
    try {
      assert.equal(await status("/index.yaml"), 200);
      for (const path of ["/", "/none.tgz", "/../outside", "/..", "/%2e%2e/outside", "//etc/hostname", "/.."])
        assert.equal(await status(path), 404, path);
    } finally {
      await new Promise((closed) => server.close(closed));
    }
  });
});
