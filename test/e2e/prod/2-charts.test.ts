import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { execa } from "execa";
import { parse } from "yaml";
import { z } from "zod";
import { tools } from "../../../settings/versions";
import { chartRepository } from "../../../local/cluster/native/chartRepository";
import { adminKubeconfig } from "../../../local/cluster/native/pki";
import { recordedCluster } from "../../../common/localStack";
import { pulumiHome } from "../../../common/localStack";
import { commandPath } from "../../../toolchain/install";
import { programs } from "../../../toolchain/programs";
import { type ChartName, sampleValues } from "../../local/charts/values";
import { Provider, urnOf } from "../../toolchain/plugins/providerClient";
import { type RunningPlugin, startExecutable } from "../../toolchain/plugins/pluginProcess";

const versionCommands = [
  [programs.cloudNativePg, "version"],
  [programs.temporalSqlTool, "--version"],
  [programs.temporalServer, "--version"],
  [programs.temporalUi, "--version"],
] as const;

const object = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), annotations: z.record(z.string(), z.string()).optional() }),
});
type KubernetesObject = z.output<typeof object>;

describe("programs of the charts", () => {
  for (const [program, argument] of versionCommands) {
    it(`${program.name} starts`, async () => {
      const { stdout } = await execa(commandPath(program), [argument]);
      assert.ok(stdout.includes(program.version), stdout);
    });
  }
});

describe("charts in the local repository", () => {
  let plugin: RunningPlugin;
  let provider: Provider;

  before(async () => {
    const folder = join(pulumiHome, "plugins", `resource-kubernetes-v${programs.kubernetesProvider.version}`);
    plugin = await startExecutable(join(folder, "pulumi-resource-kubernetes"), {
      environment: { KUBECONFIG: "/nowhere" },
    });
    provider = new Provider(plugin.address, urnOf("kubernetes:helm.sh/v3:Release"));
    await provider.configure({});
  });

  after(async () => {
    provider.close();
    await plugin.stop();
  });

  /** Renders a chart as Helm does, by the Kubernetes provider. */
  async function render(chart: ChartName, values: unknown): Promise<KubernetesObject[]> {
    const { result } = await provider.invoke("kubernetes:helm:template", {
      jsonOpts: JSON.stringify({
        chart,
        values,
        fetch_opts: { repo: chartRepository },
        kube_version: tools.kubernetes,
        namespace: "default",
        release_name: chart === "temporal" ? "temporal" : "cnpg",
      }),
    });
    return z.array(object).parse(result);
  }

  it("are listed with the checksums of their archives", async () => {
    const index = z
      .object({
        entries: z.record(
          z.string(),
          z.tuple([z.looseObject({ urls: z.tuple([z.string()]), digest: z.string() })]),
        ),
      })
      .parse(parse(await (await fetch(`${chartRepository}/index.yaml`)).text()));
    assert.deepEqual(Object.keys(index.entries).sort(), Object.keys(sampleValues).sort());
    for (const [{ urls, digest }] of Object.values(index.entries)) {
      const archive = await fetch(`${chartRepository}/${urls[0]}`);
      const content = Buffer.from(await archive.arrayBuffer());
      assert.equal(createHash("sha256").update(content).digest("hex"), digest);
    }
  });

  it("come with images by tag and digest", () => {
    const { temporal, postgres } = recordedCluster()?.cluster?.settings ?? {};
    const references = [...JSON.stringify([temporal, postgres]).matchAll(/"(10\.[^"]+)"/g)].map(
      ([, reference]) => reference,
    );
    assert.equal(references.length, 6);
    for (const reference of references) assert.match(reference ?? "", /:[\w.-]+@sha256:[0-9a-f]{64}$/);
  });

  for (const chart of Object.keys(sampleValues) as ChartName[]) {
    it(`${chart}: renders objects that the API server takes`, async () => {
      const objects = await render(chart, sampleValues[chart]);
      const { exitCode, stderr } = await execa(
        commandPath(programs.kubernetes, "kubectl"),
        [
          "apply",
          "--server-side",
          "--force-conflicts",
          "--dry-run=server",
          "--validate=strict",
          "--filename",
          "-",
        ],
        {
          env: { KUBECONFIG: adminKubeconfig },
          input: JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
          reject: false,
        },
      );
      assert.equal(exitCode, 0, stderr);
    });

    it(`${chart}: refuses a value that it does not know`, async () => {
      await assert.rejects(render(chart, { ...sampleValues[chart], unknownKey: 1 }), /unknownKey/);
    });
  }

  it("temporal: has the schema job as a hook with a deadline, and clients of the database by their label", async () => {
    const job = (await render("temporal", sampleValues.temporal)).find(({ kind }) => kind === "Job");
    assert.equal(job?.metadata.name, "temporal-schema");
    assert.equal(job.metadata.annotations?.["helm.sh/hook"], "pre-install,pre-upgrade");
    assert.match(JSON.stringify(job), /"activeDeadlineSeconds":300/);
    assert.match(JSON.stringify(job), /"app.kubernetes.io\/component":"database"/);
  });

  it("cloudnative-pg: keeps the resource types when the release goes", async () => {
    const types = (await render("cloudnative-pg", sampleValues["cloudnative-pg"])).filter(
      ({ kind }) => kind === "CustomResourceDefinition",
    );
    assert.equal(types.length, 11);
    for (const { metadata } of types) assert.equal(metadata.annotations?.["helm.sh/resource-policy"], "keep");
  });
});
