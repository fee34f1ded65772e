import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { z } from "zod";
import { programs } from "../../../toolchain/programs";
import { NO_CLUSTER, OfflineEngine } from "../../support/offlineEngine";

/*
 * The real engine and the real Kubernetes provider, a backend of files, and no cluster: what the guards see
 * is what an earlier update left in the state. That state is made from a preview, as nothing else of an
 * update matters to them.
 */

const resource = z.looseObject({
  urn: z.string(),
  type: z.string(),
  parent: z.string().optional(),
  inputs: z.record(z.string(), z.unknown()).optional(),
});
type Resource = z.output<typeof resource>;
const plan = z.object({ steps: z.array(z.looseObject({ newState: resource.optional() })) });
const exported = z.looseObject({
  version: z.number(),
  deployment: z.looseObject({ manifest: z.unknown(), secrets_providers: z.unknown() }),
});

/** Resources with guards, and their ids. */
const GUARDED: Readonly<Record<string, string>> = {
  "postgres-cluster": "temporal/temporal-pg",
  "temporal-release": "temporal/temporal",
  "temporal-namespaces-schedule": "temporal/temporal-namespaces",
};
const COMPONENTS = ["postgres", "temporal", "temporal-namespaces"];
const nameOf = ({ urn }: Resource) => urn.slice(urn.lastIndexOf("::") + 2);

describe("guards in a preview, without the cluster", () => {
  const engine = new OfflineEngine();
  let planned: Resource[];

  const preview = (change: (text: string) => string) => engine.run("prod", change, ["preview"]);

  /** Makes the state that an update would have left. */
  async function leave({ record }: { record: boolean }): Promise<void> {
    const { version, deployment } = exported.parse(
      JSON.parse((await engine.pulumi(["stack", "export", "--stack", "prod"])).stdout),
    );
    const stack = planned.find(({ type }) => type === "pulumi:pulumi:Stack");
    const provider = planned.find(({ type }) => type === "pulumi:providers:kubernetes");
    assert.ok(stack && provider);
    const settings = {
      ...provider.inputs,
      kubeconfig: NO_CLUSTER,
      version: programs.kubernetesProvider.version,
    };
    const deployed = {
      server: {
        historyShards: 512,
        clusterName: "prod",
        initialFailoverVersion: 1,
        failoverVersionIncrement: 100,
        serverTag: "1.31.2",
      },
      postgres: { mode: "cluster", place: "temporal/temporal-pg", tag: "16.15", storageSize: "50Gi" },
      namespaces: [{ name: "prod", retentionDays: 30, searchAttributes: {} }],
    };
    const resources = [
      { urn: stack.urn, custom: false, type: stack.type, outputs: record ? { deployed } : {} },
      {
        urn: provider.urn,
        custom: true,
        id: "provider",
        type: provider.type,
        inputs: settings,
        outputs: settings,
      },
      ...planned
        .filter(
          (planned) => planned.type.startsWith("temporal-stack:") && COMPONENTS.includes(nameOf(planned)),
        )
        .map(({ urn, type }) => ({ urn, custom: false, type, parent: stack.urn })),
      ...planned
        .filter((planned) => nameOf(planned) in GUARDED)
        .map((planned) => ({
          urn: planned.urn,
          custom: true,
          id: GUARDED[nameOf(planned)],
          type: planned.type,
          inputs: planned.inputs,
          // The provider keeps the inputs of objects among their outputs, those of releases not.
          outputs: planned.type.endsWith(":Release")
            ? { ...planned.inputs, status: { status: "deployed" } }
            : { ...planned.inputs, __inputs: planned.inputs },
          parent: planned.parent,
          provider: `${provider.urn}::provider`,
          protect: planned.type.endsWith(":Cluster"),
        })),
    ];
    const file = engine.file("state.json");
    writeFileSync(file, JSON.stringify({ version, deployment: { ...deployment, resources } }));
    const { failed, output } = await engine.pulumi(["stack", "import", "--stack", "prod", "--file", file]);
    assert.ok(!failed, output);
  }

  before(async () => {
    await engine.start("prod");
    const { failed, output, stdout } = await engine.run("prod", (text) => text, ["preview", "--json"]);
    assert.ok(!failed, output);
    planned = plan.parse(JSON.parse(stdout)).steps.flatMap(({ newState }) => newState ?? []);
  });

  after(() => {
    engine.stop();
  });

  const changes: readonly [what: string, change: (text: string) => string, message: RegExp][] = [
    [
      "another number of shards",
      (text) => text.replace("historyShards: 512", "historyShards: 1024"),
      /temporal\.historyShards: deployed is 512, found 1024/,
    ],
    [
      "a smaller volume",
      (text) => text.replace("size: 50Gi", "size: 40Gi"),
      /postgres\.storage\.size: deployed is 50Gi, found 40Gi/,
    ],
    [
      "a shorter retention",
      (text) => text.replace("retentionDays: 30", "retentionDays: 7"),
      /namespaces\[0\]\.retentionDays: deployed is 30, found 7/,
    ],
  ];

  it("refuse all forbidden changes at once by the record of the stack, before any resource", async () => {
    await leave({ record: true });
    const { failed, output } = await preview((text) =>
      changes.reduce((changed, [, change]) => change(changed), text),
    );
    assert.ok(failed);
    for (const [, , message] of changes) assert.match(output, message);
    assert.match(output, /Nothing was changed/);
    assert.doesNotMatch(output, /policy-temporal-deny/);
  });

  for (const [what, change, message] of changes) {
    it(`refuse ${what} by the resource itself, without a record`, async () => {
      await leave({ record: false });
      const { failed, output } = await preview(change);
      assert.ok(failed, output);
      assert.match(output, message);
    });
  }

  it("let the unchanged stack pass", async () => {
    await leave({ record: true });
    const { failed, output } = await preview((text) => text);
    assert.ok(!failed, output);
    assert.match(output, /cannot see whether the Kubernetes namespace "temporal" exists already/);
  });

  it("leave a protected database to nobody: destroy refuses", async () => {
    await leave({ record: true });
    const { failed, output } = await engine.pulumi(["destroy", "--stack", "prod", "--yes", "--skip-preview"]);
    assert.ok(failed);
    assert.match(output, /postgres-cluster" cannot be deleted\s+because it is protected/);
  });
});
