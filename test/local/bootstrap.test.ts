import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** Like `npm ci`: empties the folder behind node_modules first, then installs, notes where, and may be cut short. */
const npm = `#!/bin/sh
mkdir -p node_modules
rm -rf node_modules/.installed-lock-sha256 node_modules/*
pwd >> "$NPM_CALLS"
[ "$NPM_FAILS" = killed ] && kill -KILL $$
[ -z "$NPM_FAILS" ] || exit 1
touch node_modules/package
`;

describe("bootstrap", () => {
  let checkout = "";
  let calls = "";

  beforeEach(() => {
    checkout = mkdtempSync(join(tmpdir(), "temporal-stack-bootstrap-"));
    calls = join(checkout, "calls");
    for (const folder of ["local", "worker", "bin"]) mkdirSync(join(checkout, folder));
    copyFileSync(join(__dirname, "../../local/bootstrap.mjs"), join(checkout, "local/bootstrap.mjs"));
    writeFileSync(join(checkout, "bin/npm"), npm, { mode: 0o755 });
    writeFileSync(join(checkout, "package.json"), JSON.stringify({ engines: { node: ">=20.19" } }));
    for (const folder of ["", "worker"]) writeFileSync(join(checkout, folder, "package-lock.json"), "{}");
    writeFileSync(calls, "");
  });
  afterEach(() => rmSync(checkout, { recursive: true }));

  function bootstrap(env: NodeJS.ProcessEnv = {}): { status: number | null; stdout: string; stderr: string } {
    return spawnSync(process.execPath, [join(checkout, "local/bootstrap.mjs"), "dependencies"], {
      encoding: "utf8",
      env: { PATH: [join(checkout, "bin"), process.env["PATH"]].join(delimiter), NPM_CALLS: calls, ...env },
    });
  }
  const installedIn = (): string[] => readFileSync(calls, "utf8").split("\n").slice(0, -1);
  const stamp = (folder = ""): string => join(checkout, folder, "node_modules/.installed-lock-sha256");

  it("installs both lock files once, and again when one of them changes", () => {
    assert.equal(bootstrap().status, 0);
    assert.deepEqual(installedIn(), [checkout, join(checkout, "worker")]);
    const { status, stdout, stderr } = bootstrap();
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "", stderr: "" });
    writeFileSync(join(checkout, "worker/package-lock.json"), '{ "changed": true }');
    assert.equal(bootstrap().status, 0);
    assert.deepEqual(installedIn().slice(2), [join(checkout, "worker")]);
  });

  it("tells a Node that is too old which one it takes", () => {
    writeFileSync(join(checkout, "package.json"), JSON.stringify({ engines: { node: ">=99.1" } }));
    const { status, stderr } = bootstrap();
    assert.equal(status, 1);
    assert.equal(
      stderr,
      `Node ${process.versions.node} is too old: install Node >=99.1 and run the command again.\n`,
    );
    assert.deepEqual(installedIn(), []);
  });

  for (const reason of ["killed", "offline"]) {
    it(`installs again after an install that was ${reason}`, () => {
      assert.equal(bootstrap().status, 0);
      writeFileSync(join(checkout, "package-lock.json"), '{ "changed": true }');
      const { status, stderr } = bootstrap({ NPM_FAILS: reason });
      assert.equal(status, 1);
      assert.match(stderr, /^npm ci failed in .*: is the npm registry reachable \(npm ping\)\?/);
      assert.equal(existsSync(stamp()), false);
      assert.equal(bootstrap().status, 0);
      assert.equal(existsSync(stamp()), true);
      assert.equal(existsSync(join(checkout, "node_modules/package")), true);
    });
  }

  it("says so when there is no npm", () => {
    const { status, stderr } = bootstrap({ PATH: join(checkout, "nowhere") });
    assert.equal(status, 1);
    assert.match(stderr, /^npm ci failed/);
  });

  it("does not install through a link: that would empty the packages of another checkout", () => {
    const other = join(checkout, "other");
    mkdirSync(other);
    writeFileSync(join(other, "package"), "");
    symlinkSync(other, join(checkout, "node_modules"));
    const { status, stderr } = bootstrap();
    assert.equal(status, 1);
    assert.match(stderr, /node_modules is a link to .*other/);
    assert.equal(existsSync(join(other, "package")), true);
    assert.deepEqual(installedIn(), []);
  });
});
