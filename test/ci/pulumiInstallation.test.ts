import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { execa } from "execa";
import { archiveOf, hashOf, Mirror } from "../toolchain/mirror";
import { root } from "../local/folders";
import { plugins, tools } from "../../settings/versions";
import { pluginDownload, programs } from "../../toolchain/programs";
import { PROJECT_ROOT } from "../program/stack";
import { installPulumi } from "../../ci/pulumiInstallation";

describe("Pulumi of pipelines", () => {
  const mirror = new Mirror();
  const home = join(root, "pulumi-of-pipelines");
  const downloads = [
    programs.pulumi.official,
    ...Object.entries(plugins).map(([name, version]) => pluginDownload(name, version)),
  ].flatMap((download) => download ?? []);

  function serve(tamper: (url: string) => boolean): void {
    for (const { url, checksums, members = {} } of downloads) {
      const archive = archiveOf(
        Object.fromEntries(Object.values(members).map((member) => [member, "program"])),
      );
      mirror.serve(url, archive);
      mirror.serve(checksums, `${hashOf(tamper(url) ? "another" : archive)}  ${basename(url)}\n`);
    }
  }

  before(() => mirror.open());
  after(() => mirror.close());

  it("is what was published, where the npm package and the engine look for it", async () => {
    serve(() => false);
    assert.equal((await installPulumi(home)).length, 4);
    assert.equal(readFileSync(join(home, "versions", tools.pulumi, "bin/pulumi"), "utf8"), "program");
    assert.deepEqual(
      readdirSync(join(home, "plugins")).sort(),
      Object.entries(plugins)
        .map(([name, version]) => `resource-${name}-v${version}`)
        .sort(),
    );
    assert.deepEqual(await installPulumi(home), []);
  });

  it("comes first on PATH of the later steps", async () => {
    const file = join(root, "github-path");
    const { exitCode, stderr } = await execa(
      process.execPath,
      ["--require", "sucrase/register/ts", "ci/pulumi.ts"],
      { cwd: PROJECT_ROOT, reject: false, env: { PULUMI_HOME: home, GITHUB_PATH: file } },
    );
    assert.equal(exitCode, 0, stderr);
    assert.equal(readFileSync(file, "utf8"), `${join(home, "versions", tools.pulumi, "bin")}\n`);
  });

  it("is not installed when it is anything else", async () => {
    serve((url) => url.includes("/pulumi-v"));
    const other = join(root, "tampered-pulumi");
    await assert.rejects(installPulumi(other), /has checksum/);
    assert.ok(!existsSync(join(other, "versions", tools.pulumi, "bin")));
  });
});
