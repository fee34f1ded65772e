import assert from "node:assert/strict";
import { provideAssets } from "../../toolchain/goBuild";
import { programs } from "../../toolchain/programs";
import { deployStack, mappingAt, objectsOf, stackConfig } from "../program/stack";
import { ADMINISTRATOR, ApiServer } from "../support/apiServer";
import type { Values } from "../harness";

/*
 * The objects of backups and restores before a real API server that has the resource types of CloudNativePG and its
 * plugin: patterns, enumerations, rules of CEL and unknown fields. No operator runs.
 */

const KEY = "temporal-stack:postgres";
const KINDS = ["Cluster", "Database", "ObjectStore", "ScheduledBackup"];
const credentials = { accessKeyId: "id", secretAccessKey: "secret" };
const stores: Readonly<Record<string, Values>> = {
  s3: { type: "s3", bucket: "backups", endpoint: "https://s3.example.com", region: "eu", credentials },
  gcs: { type: "gcs", bucket: "backups", credentials: { applicationCredentials: "{}" } },
  azure: { type: "azure", account: "acme", container: "backups", credentials: { storageKey: "key" } },
};

describe("backups before a real API server", () => {
  let server: ApiServer;
  const kubectl = (args: readonly string[], input?: unknown) => server.kubectl(ADMINISTRATOR, args, input);
  const create = (object: unknown) =>
    kubectl(["create", "--dry-run=server", "--validate=strict", "--filename=-"], object);

  before(async () => {
    server = await ApiServer.start();
    for (const program of [programs.cloudNativePg, programs.barmanPlugin])
      await server.addTypes(`${await provideAssets(program)}/crds`);
    await kubectl(["create", "namespace", "temporal"]);
  });

  after(async () => {
    await server.stop();
  });

  for (const [type, store] of Object.entries(stores)) {
    it(`takes what is made for ${type}, before and after a restore`, async () => {
      for (const generation of [1, 2]) {
        const restore = { fromGeneration: 1, targetTime: "2026-11-28T10:15:00.5+01:00" };
        const postgres = {
          ...mappingAt(stackConfig("prod"), KEY),
          backup: { store, ...(type === "s3" ? { encryption: "aws:kms" } : {}) },
          ...(generation === 1 ? {} : { generation, restore }),
        };
        const deployment = await deployStack("prod", { changes: { [KEY]: postgres } });
        const objects = objectsOf(deployment).filter(({ kind }) => KINDS.includes(kind));
        assert.equal(objects.length, generation === 1 ? 5 : 9);
        for (const { inputs } of objects) {
          const { exitCode, output } = await create(inputs);
          assert.equal(exitCode, 0, output);
        }
      }
    });
  }

  it("refuses what is not of these types, so that it would have been seen", async () => {
    const postgres = { ...mappingAt(stackConfig("prod"), KEY), backup: { store: stores["s3"] } };
    const deployment = await deployStack("prod", { changes: { [KEY]: postgres } });
    const store = objectsOf(deployment, "ObjectStore")[0]?.inputs ?? {};
    const spec = mappingAt(store, "spec");
    const { output: unknown } = await create({ ...store, spec: { ...spec, retention: "30d" } });
    assert.match(unknown, /unknown field "spec\.retention"/);
    const { output: pattern } = await create({ ...store, spec: { ...spec, retentionPolicy: "30 days" } });
    assert.match(pattern, /retentionPolicy.*should match/);
    const configuration = { ...mappingAt(spec, "configuration"), serverName: "pg" };
    const { output: rule } = await create({ ...store, spec: { ...spec, configuration } });
    assert.match(rule, /use the 'serverName' plugin parameter/);
  });
});
