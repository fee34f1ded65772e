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
[ -z "$NPM_KILLED" ] || kill -KILL $$
touch node_modules/package
`;

describe("bootstrap", () => {
  let checkout = "";
  let calls = "";
  let stamp = "";

  beforeEach(() => {
    checkout = mkdtempSync(join(tmpdir(), "temporal-stack-bootstrap-"));
    calls = join(checkout, "calls");
    stamp = join(checkout, "worker/node_modules/.installed-lock-sha256");
    for (const folder of ["common", "worker", "bin"]) mkdirSync(join(checkout, folder));
    copyFileSync(join(__dirname, "../../common/bootstrap.mjs"), join(checkout, "common/bootstrap.mjs"));
    writeFileSync(join(checkout, "bin/npm"), npm, { mode: 0o755 });
    writeFileSync(join(checkout, "package.json"), JSON.stringify({ engines: { node: ">=20.19" } }));
    for (const folder of ["", "worker"]) writeFileSync(join(checkout, folder, "package-lock.json"), "{}");
    writeFileSync(calls, "");
  });
  afterEach(() => rmSync(checkout, { recursive: true }));

  function bootstrap(env: NodeJS.ProcessEnv = {}): { status: number | null; stdout: string; stderr: string } {
    return spawnSync(process.execPath, [join(checkout, "common/bootstrap.mjs"), "dependencies"], {
      encoding: "utf8",
      env: { PATH: [join(checkout, "bin"), process.env["PATH"]].join(delimiter), NPM_CALLS: calls, ...env },
    });
  }
  const installedIn = (): string[] => readFileSync(calls, "utf8").split("\n").slice(0, -1);

  it("installs both lock files once, and again when one has changed, however often it takes", () => {
    assert.equal(bootstrap().status, 0);
    assert.deepEqual(installedIn(), [checkout, join(checkout, "worker")]);
    const { status, stdout, stderr } = bootstrap();
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "", stderr: "" });

    writeFileSync(join(checkout, "worker/package-lock.json"), '{ "changed": true }');
    const killed = bootstrap({ NPM_KILLED: "yes" });
    assert.equal(killed.status, 1);
    assert.match(killed.stderr, /^npm ci failed in .*worker: is the npm registry reachable \(npm ping\)\?/);
    assert.equal(existsSync(stamp), false);
    assert.equal(bootstrap().status, 0);
    assert.equal(existsSync(stamp), true);
    assert.deepEqual(installedIn().slice(2), [join(checkout, "worker"), join(checkout, "worker")]);
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
