import assert from "node:assert/strict";
import { KubeConfig } from "@kubernetes/client-node";
import { provideAssets } from "../../toolchain/goBuild";
import { programs } from "../../toolchain/programs";
import { CHART_SERVER } from "../../components/manifests/temporalNames";
import { deployStack, mappingAt, objectsOf, stackConfig } from "../program/stack";
import { ADMINISTRATOR, ApiServer } from "../support/apiServer";
import type { Archive } from "../../ops/restore/archive";
import { readArchive, readNewest } from "../../ops/restore/facts";
import { Writers } from "../../ops/restore/running";
import { LiveObjects } from "../../ops/drift/live";
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

const FILE = { name: "temporal-pg", backup: undefined };

function configOf(server: ApiServer): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(server.kubeconfig(ADMINISTRATOR));
  return config;
}

describe("backups before a real API server", () => {
  let server: ApiServer;
  let withoutTypes: Archive;
  const kubectl = (args: readonly string[], input?: unknown) => server.kubectl(ADMINISTRATOR, args, input);
  const create = (object: unknown) =>
    kubectl(["create", "--dry-run=server", "--validate=strict", "--filename=-"], object);

  before(async () => {
    server = await ApiServer.start();
    await kubectl(["create", "namespace", "temporal"]);
    withoutTypes = await readArchive(new LiveObjects(configOf(server)), "temporal", FILE, 1, new Date());
    for (const program of [programs.cloudNativePg, programs.barmanPlugin])
      await server.addTypes(`${await provideAssets(program)}/crds`);
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

  describe("as a restore reads them", () => {
    let objects: LiveObjects;
    let writers: Writers;
    const put = async (object: Values & { readonly status?: unknown }) => {
      const { status, ...rest } = object;
      const created = await kubectl(["create", "--filename=-"], rest);
      assert.equal(created.exitCode, 0, created.output);
      if (status === undefined) return;
      const { name } = mappingAt(object, "metadata");
      const patch = JSON.stringify({ status });
      const kind = String(object["kind"]);
      const args = ["patch", kind, String(name), "-n", "temporal", "--subresource=status", "--type=merge"];
      const patched = await kubectl([...args, "--patch", patch]);
      assert.equal(patched.exitCode, 0, patched.output);
    };
    const metadata = (name: string) => ({ name, namespace: "temporal" });
    const cluster = (name: string, type: string, status: string) => ({
      ...{ apiVersion: "postgresql.cnpg.io/v1", kind: "Cluster", metadata: metadata(name) },
      spec: { instances: 1, storage: { size: "1Gi" } },
      status: {
        conditions: [
          { type, status, reason: "Test", message: "", lastTransitionTime: "2026-11-28T11:00:00Z" },
        ],
      },
    });
    const deployment = (name: string, labels: Values, replicas: number) => ({
      ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { ...metadata(name), labels } },
      spec: {
        ...{ replicas, selector: { matchLabels: labels } },
        template: { metadata: { labels }, spec: { containers: [{ name: "main", image: "image" }] } },
      },
    });
    const replicas = async () => {
      const path = "-o=jsonpath={range .items[*]}{.metadata.name}={.spec.replicas} {end}";
      return (await kubectl(["get", "deployments", "-n", "temporal", path])).output.trim();
    };

    before(async () => {
      const config = configOf(server);
      objects = new LiveObjects(config);
      const group = { name: "orders", namespace: "temporal", deployment: "orders" };
      const worker = { ...group, taskQueues: ["orders"] as [string] };
      writers = await Writers.of(config, [worker], "temporal");
    });

    it("finds nothing in a new Kubernetes cluster, which has none of the types", () => {
      assert.equal(withoutTypes.exists, false);
      assert.deepEqual(withoutTypes.backups, []);
    });

    it("finds base backups, window and archiver of a generation, and how far the next one is", async () => {
      assert.equal((await readArchive(objects, "temporal", FILE, 1, new Date())).exists, false);
      await put(cluster("temporal-pg", "ContinuousArchiving", "True"));
      await put({
        ...{ apiVersion: "postgresql.cnpg.io/v1", kind: "Backup", metadata: metadata("temporal-pg-1") },
        spec: { cluster: { name: "temporal-pg" }, method: "plugin" },
        status: { phase: "completed", stoppedAt: "2026-11-28T02:01:00Z", backupId: "20261128T020000" },
      });
      const firstRecoverabilityPoint = "2026-11-28T02:00:30Z";
      await put({
        ...{ apiVersion: "barmancloud.cnpg.io/v1", kind: "ObjectStore" },
        metadata: metadata("temporal-pg-backup"),
        spec: {
          configuration: { destinationPath: "s3://backups", s3Credentials: { inheritFromIAMRole: true } },
        },
        status: { serverRecoveryWindow: { "temporal-pg": { firstRecoverabilityPoint } } },
      });
      const now = new Date("2026-11-28T12:00:00Z");
      const archive = await readArchive(objects, "temporal", FILE, 1, now);
      assert.equal(archive.first?.toISOString(), "2026-11-28T02:00:30.000Z");
      assert.equal(archive.last?.toISOString(), "2026-11-28T11:59:30.000Z");
      assert.deepEqual(
        archive.backups.map(({ name, id, state }) => [name, id, state]),
        [["temporal-pg-1", "20261128T020000", "completed"]],
      );
      const newest = () => readNewest(objects, "temporal", { name: "temporal-pg", generation: 2 });
      assert.equal(await newest(), "absent");
      await put(cluster("temporal-pg-2", "Ready", "False"));
      assert.equal(await newest(), "filling");
      await put({
        ...{ apiVersion: "batch/v1", kind: "Job", metadata: metadata("temporal-pg-2-1-full-recovery") },
        spec: {
          template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "image" }] } },
        },
        status: { failed: 1 },
      });
      assert.equal(await newest(), "failed");
    });

    it("stops workers and server, knows it in the next call, and starts a group with one pod", async () => {
      await put(deployment("orders", { "app.kubernetes.io/name": "temporal-worker" }, 4));
      const part = (component: string) => ({ ...CHART_SERVER, "app.kubernetes.io/component": component });
      await put(deployment("temporal-history", part("history"), 3));
      await put(deployment("temporal-web", part("web"), 2));
      const told: string[] = [];
      const tell = (line: string) => told.push(line);
      assert.deepEqual(await writers.running(), ["temporal/orders (4)", "temporal/temporal-history (3)"]);
      await writers.stop(tell);
      await writers.stop(tell);
      assert.equal(await replicas(), "orders=0 temporal-history=0 temporal-web=2");
      assert.deepEqual(await writers.stopped(), ["temporal/orders", "temporal/temporal-history"]);
      await writers.start(tell);
      assert.equal(await replicas(), "orders=1 temporal-history=3 temporal-web=2");
      assert.deepEqual(await writers.stopped(), []);
      assert.equal(told.at(-1), "starting temporal/orders");
    });
  });
});
