import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { makeChartRepository } from "../../local/charts/archives";
import { fileServer } from "../../local/charts/server";
import { checkout } from "../../local/paths";
import { pulumiHome } from "../../local/pulumi";
import { commandPath, programFolder } from "../../local/toolchain/install";
import { programs } from "../../local/toolchain/programs";

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

/** Nothing listens on port 1. */
const KUBECONFIG = `apiVersion: v1
kind: Config
current-context: none
contexts: [{ name: none, context: { cluster: none, user: none } }]
clusters: [{ name: none, cluster: { server: "https://127.0.0.1:1" } }]
users: [{ name: none, user: { token: none } }]
`;

describe("guards in a preview, without the cluster", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-guards-"));
  const server = fileServer(join(folder, "charts"));
  const environment = {
    KUBECONFIG: join(folder, "kubeconfig"),
    PATH: [programFolder(programs.pulumi), process.env["PATH"]].join(":"),
    PULUMI_BACKEND_URL: `file://${join(folder, "backend")}`,
    PULUMI_CONFIG_PASSPHRASE: "guards",
    PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
    PULUMI_HOME: pulumiHome,
    PULUMI_NODEJS_TRANSPILE_ONLY: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    TEMPORAL_STACK_MACHINE_SETTINGS: undefined,
  };
  let charts: string;
  let planned: Resource[];

  /** Runs the CLI where no stack file of the checkout lies that it would write its salt to. */
  const pulumi = (args: string[], cwd = folder) =>
    execa(commandPath(programs.pulumi), [...args, "--non-interactive"], {
      cwd,
      env: environment,
      reject: false,
    });
  const previewOf = (file: string, ...more: string[]) =>
    pulumi(["preview", "--stack", "prod", "--config-file", file, ...more], checkout);

  /** The real stack file with charts from here, an image that is there, and a change. */
  function stackFile(change: (text: string) => string): string {
    const text = change(readFileSync(join(checkout, "Pulumi.prod.yaml"), "utf8"));
    const { config } = z.object({ config: z.record(z.string(), z.unknown()) }).parse(parse(text));
    const file = join(folder, "prod.yaml");
    const more = {
      "temporal-stack:charts": { temporalRepository: charts, cloudNativePgRepository: charts },
      "temporal-stack:workerImage": {
        repository: "registry.example.com/worker",
        digest: `sha256:${"1".repeat(64)}`,
      },
    };
    writeFileSync(file, stringify({ config: { ...config, ...more } }));
    return file;
  }

  async function preview(change: (text: string) => string): Promise<{ failed: boolean; output: string }> {
    const file = stackFile(change);
    const { exitCode, stdout, stderr } = await previewOf(file, "--color", "never");
    return { failed: exitCode !== 0, output: `${stdout}${stderr}` };
  }

  /** Makes the state that an update would have left. */
  async function leave({ record }: { record: boolean }): Promise<void> {
    const { version, deployment } = exported.parse(
      JSON.parse((await pulumi(["stack", "export", "--stack", "prod"])).stdout),
    );
    const stack = planned.find(({ type }) => type === "pulumi:pulumi:Stack");
    const provider = planned.find(({ type }) => type === "pulumi:providers:kubernetes");
    assert.ok(stack && provider);
    const settings = {
      ...provider.inputs,
      kubeconfig: KUBECONFIG,
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
    const file = join(folder, "state.json");
    writeFileSync(file, JSON.stringify({ version, deployment: { ...deployment, resources } }));
    const { exitCode, stderr } = await pulumi(["stack", "import", "--stack", "prod", "--file", file]);
    assert.equal(exitCode, 0, stderr);
  }

  before(async () => {
    mkdirSync(join(folder, "backend"));
    writeFileSync(environment.KUBECONFIG, KUBECONFIG);
    await makeChartRepository(join(folder, "charts"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    charts = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    copyFileSync(join(checkout, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
    const made = await pulumi(["stack", "init", "prod"]);
    assert.equal(made.exitCode, 0, made.stderr);
    const file = stackFile((text) => text);
    const { stdout, exitCode, stderr } = await previewOf(file, "--json");
    assert.equal(exitCode, 0, stderr);
    planned = plan.parse(JSON.parse(stdout)).steps.flatMap(({ newState }) => newState ?? []);
  });

  after(() => {
    server.close();
    rmSync(folder, { recursive: true });
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
    const { exitCode, stdout, stderr } = await pulumi([
      "destroy",
      "--stack",
      "prod",
      "--yes",
      "--skip-preview",
    ]);
    assert.notEqual(exitCode, 0);
    assert.match(`${stdout}${stderr}`, /postgres-cluster" cannot be deleted\s+because it is protected/);
  });
});
