import assert from "node:assert/strict";
import { join } from "node:path";
import { readLockfile, type LockedPackage, nameOf } from "../../../ci/supplyChain/lockfile";
import { lockfileProblems } from "../../../ci/supplyChain/lockfileRules";
import { PROJECT_ROOT } from "../../program/stack";

const INTEGRITY = `sha512-${"A".repeat(86)}==`;

function locked(path: string, more: Partial<LockedPackage> = {}): LockedPackage {
  const flags = { dev: false, devOptional: false, link: false, inBundle: false, hasInstallScript: false };
  return { path, name: nameOf(path), version: "1.2.3", integrity: INTEGRITY, ...flags, ...more };
}

const problems = (packages: readonly LockedPackage[], lockfileVersion = 3) =>
  lockfileProblems({ file: "package-lock.json", lockfileVersion, packages }, ["esbuild"]);

describe("lock file rules", () => {
  it("pass a package of the registry, with and without its address, and what is bundled in it", () => {
    const at = (name: string, file: string) => `https://registry.npmjs.org/${name}/-/${file}-1.2.3.tgz`;
    assert.deepEqual(
      problems([
        locked("node_modules/a", { resolved: at("a", "a") }),
        locked("node_modules/b/node_modules/@c/d", { resolved: at("@c/d", "d") }),
        locked("node_modules/alias", { name: "real", resolved: at("real", "real") }),
        locked("node_modules/esbuild", { hasInstallScript: true }),
        locked("node_modules/a/node_modules/e", { inBundle: true, integrity: undefined }),
      ]),
      [],
    );
  });

  const faults: readonly [what: string, locked: LockedPackage, problem: RegExp][] = [
    [
      "another host",
      locked("node_modules/a", { resolved: "https://evil.example/a/-/a-1.2.3.tgz" }),
      /not to https/,
    ],
    [
      "a git commit",
      locked("node_modules/a", { resolved: "git+ssh://git@github.com/a/a.git#0a1b" }),
      /not to https/,
    ],
    [
      "another package's archive",
      locked("node_modules/a", { resolved: "https://registry.npmjs.org/b/-/b-1.2.3.tgz" }),
      /which is another package/,
    ],
    [
      "another version's archive",
      locked("node_modules/a", { resolved: "https://registry.npmjs.org/a/-/a-1.2.4.tgz" }),
      /which is another package/,
    ],
    ["no checksum", locked("node_modules/a", { integrity: undefined }), /has no integrity/],
    ["a weak checksum", locked("node_modules/a", { integrity: "sha1-2jmj7l5rSw0yVb" }), /is no SHA-512/],
    ["an unknown install script", locked("node_modules/a", { hasInstallScript: true }), /nobody has allowed/],
    ["a link", locked("node_modules/a", { link: true }), /folder of this machine/],
    ["a folder", locked("../a"), /folder of this machine/],
    [
      "a bundle that is not there",
      locked("node_modules/a/node_modules/b", { inBundle: true }),
      /no package is around/,
    ],
  ];
  for (const [what, entry, problem] of faults) {
    it(`find ${what}`, () => {
      const found = problems([locked("node_modules/good"), entry]);
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", problem);
      assert.ok(found[0]?.startsWith(`${entry.path}: `));
    });
  }

  it("find an old format", () => assert.deepEqual(problems([], 1), ["lockfileVersion is 1, expected 3"]));

  it("find nothing in the worker's lock file, and something without what is allowed", () => {
    const lockfile = readLockfile(join(PROJECT_ROOT, "worker/package-lock.json"));
    assert.ok(lockfile.packages.length > 200);
    assert.deepEqual(lockfileProblems(lockfile, ["@swc/core", "esbuild", "protobufjs"]), []);
    assert.equal(lockfileProblems(lockfile, ["@swc/core", "protobufjs"]).length, 1);
  });
});
