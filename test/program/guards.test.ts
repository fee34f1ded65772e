import assert from "node:assert/strict";
import type { Deployment, Values } from "../harness";
import { deployStack, mappingAt, stackConfig, withDeadCluster } from "./stack";

const GUARDED = {
  "temporal-release": "temporal-server-guard",
  "temporal-namespaces-schedule": "temporal-namespaces-guard",
  "postgres-cluster": "postgres-guard",
} as const;

/** Sections of stack prod with changes. */
const changed = (section: string, changes: Values): Values => {
  const key = `temporal-stack:${section}`;
  return { [key]: { ...mappingAt(stackConfig("prod"), key), ...changes } };
};

/** Runs the guard of a resource as the engine would before it updates what `deployed` left. */
async function update(next: Deployment, name: keyof typeof GUARDED, deployed: Deployment): Promise<void> {
  const old = deployed.registrations.find((registration) => registration.name === name);
  const hook = next.hooks.get(GUARDED[name]);
  assert.ok(old && hook);
  await hook.callback({
    urn: "",
    id: "",
    name,
    type: old.type,
    oldInputs: { ...old.inputs },
  });
}

describe("guards of stack prod", () => {
  let deployed: Deployment;

  before(async () => {
    deployed = await deployStack("prod");
  });

  const changes: readonly [
    title: string,
    changes: Values,
    resource: keyof typeof GUARDED,
    pattern: RegExp,
  ][] = [
    [
      "another number of shards",
      changed("temporal", { historyShards: 1024 }),
      "temporal-release",
      /temporal\.historyShards: deployed is 512, found 1024/,
    ],
    [
      "a smaller volume",
      changed("postgres", { storage: { size: "40Gi" } }),
      "postgres-cluster",
      /postgres\.storage\.size: deployed is 50Gi, found 40Gi/,
    ],
    [
      "a shorter retention",
      changed("temporal", { namespaces: [{ name: "prod", retentionDays: 7 }] }),
      "temporal-namespaces-schedule",
      /retentionDays: deployed is 30, found 7/,
    ],
  ];
  for (const [title, section, resource, pattern] of changes) {
    it(`refuse ${title} by the record, before any resource`, async () => {
      const refused = deployStack("prod", {
        changes: section,
        stackOutputs: deployed.outputs,
        preview: true,
      });
      await assert.rejects(refused, pattern);
    });

    it(`refuse ${title} by the resource, when the record is stale or gone`, async () => {
      // Without a record, as after a first update that failed half-way.
      const next = await deployStack("prod", { changes: section });
      await assert.rejects(update(next, resource, deployed), pattern);
      await update(deployed, resource, deployed);
    });
  }

  const prodNamespace = { name: "prod", retentionDays: 30 };
  const withNamespaces = (...namespaces: Values[]) => changed("temporal", { namespaces });
  const postgresImage = (tag: string) =>
    changed("postgres", { image: `ghcr.io/cloudnative-pg/postgresql:${tag}` });

  // What works, what is accepted and fails half-way, and the way back from there.
  const attempts: readonly [title: string, changes: Values, resource: keyof typeof GUARDED][] = [
    [
      "a newer server",
      changed("temporal", {
        images: { server: "temporalio/server:1.32.0", adminTools: "temporalio/admin-tools:1.32.0" },
      }),
      "temporal-release",
    ],
    [
      "a search attribute",
      withNamespaces({ ...prodNamespace, searchAttributes: { CustomerTier: "Keyword" } }),
      "temporal-namespaces-schedule",
    ],
    [
      "a Temporal namespace",
      withNamespaces(prodNamespace, { name: "more", retentionDays: 3 }),
      "temporal-namespaces-schedule",
    ],
    [
      "a longer retention",
      withNamespaces({ ...prodNamespace, retentionDays: 60 }),
      "temporal-namespaces-schedule",
    ],
    [
      "a shorter retention that was acknowledged",
      withNamespaces({ ...prodNamespace, retentionDays: 7, shortenRetentionToDays: 7 }),
      "temporal-namespaces-schedule",
    ],
    ["a newer major version of PostgreSQL", postgresImage("17.6-standard-trixie"), "postgres-cluster"],
  ];
  for (const [title, changes, resource] of attempts) {
    it(`let a stack go back from ${title} that failed half-way, and forward again`, async () => {
      const stackOutputs = deployed.outputs;
      const attempted = await deployStack("prod", { changes, stackOutputs });
      await update(attempted, resource, deployed);
      const back = await deployStack("prod", { stackOutputs });
      await update(back, resource, attempted);
      await update(attempted, resource, back);
    });
  }

  it("keep to volumes that have grown although the update failed, as they never shrink", async () => {
    const changes = changed("postgres", { storage: { size: "60Gi" } });
    const attempted = await deployStack("prod", { changes, stackOutputs: deployed.outputs });
    const back = await deployStack("prod", { stackOutputs: deployed.outputs });
    await assert.rejects(update(back, "postgres-cluster", attempted), /set at least 60Gi/);
    await update(attempted, "postgres-cluster", attempted);
  });

  it("let go of what the first update asked for in vain, and of nothing that an older program deployed", async () => {
    const changes = withNamespaces(
      { ...prodNamespace, searchAttributes: { CustomerTier: "Keyword" } },
      { name: "more", retentionDays: 3 },
    );
    const attempted = await deployStack("prod", { changes });
    await update(await deployStack("prod"), "temporal-namespaces-schedule", attempted);
    const older = await deployStack("prod", { stackOutputs: { temporalAddress: "temporal:7233" } });
    await assert.rejects(
      update(older, "temporal-namespaces-schedule", attempted),
      /namespace "more", found none[^]*CustomerTier: deployed is Keyword, found nothing/,
    );
  });

  it("run in previews, before an update", () => {
    for (const [resource, guard] of Object.entries(GUARDED)) {
      const { hooks } = deployed.registrations.find(({ name }) => name === resource) ?? {};
      assert.deepEqual(hooks?.beforeUpdate, [guard]);
      assert.equal(deployed.hooks.get(guard)?.opts?.onDryRun, true);
    }
  });

  it("create no empty Cluster where one was deployed, in previews too", async () => {
    const lost = await deployStack("prod", { stackOutputs: deployed.outputs });
    const create = async (next: Deployment): Promise<void> => {
      const registration = next.registrations.find(({ name }) => name === "postgres-cluster");
      assert.deepEqual(registration?.hooks.beforeCreate, ["postgres-recreation", "postgres-storage-class"]);
      const hook = next.hooks.get("postgres-recreation");
      assert.equal(hook?.opts?.onDryRun, true);
      await hook.callback({ urn: "", id: "", name: "postgres-cluster", type: registration.type });
    };
    await withDeadCluster(async () => {
      await assert.rejects(create(lost), /temporal\/temporal-pg was deployed .*whether it still exists/);
    });
    await create(deployed);
  });

  it("look at every Kubernetes namespace before it is created", () => {
    const namespaces = deployed.registrations.filter(({ type }) => type === "kubernetes:core/v1:Namespace");
    assert.equal(namespaces.length, 3);
    for (const { hooks, inputs } of namespaces) {
      const guard = `namespace-ownership-${String(mappingAt(inputs, "metadata")["name"])}`;
      assert.deepEqual(hooks.beforeCreate, [guard]);
      assert.equal(deployed.hooks.get(guard)?.opts?.onDryRun, true);
    }
  });

  it("let a stack pass that has not changed", async () => {
    await deployStack("prod", { stackOutputs: deployed.outputs });
  });

  it("touch nothing when the record refuses: not even the image is built", async () => {
    const refused = deployStack("prod", {
      changes: changed("temporal", { historyShards: 1024 }),
      stackOutputs: deployed.outputs,
    });
    await assert.rejects(refused, /Nothing was changed/);
    const image = deployed.registrations.find(({ name }) => name === "worker-image");
    assert.match(image?.dependencies.join() ?? "", /pulumi:providers:kubernetes::kubernetes/);
  });
});
