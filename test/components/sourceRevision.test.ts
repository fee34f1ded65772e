import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { programRevision, sourceRevision } from "../../components/manifests/sourceRevision";

const IDENTITY = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];

describe("revision of the sources", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-revision-"));
  const repository = join(folder, "repository");
  const worker = join(repository, "worker");
  let seconds = 1_700_000_000;

  const git = (...args: string[]) =>
    execFileSync("git", ["-C", repository, ...IDENTITY, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      env: { ...process.env, GIT_COMMITTER_DATE: `${String(seconds)} +0200` },
    }).trim();

  function write(path: string, content: string): void {
    mkdirSync(dirname(join(repository, path)), { recursive: true });
    writeFileSync(join(repository, path), content);
  }

  function commit(path: string): string {
    seconds += 60;
    write(path, String(seconds));
    git("add", ".");
    git("commit", "--message", path);
    return git("rev-parse", "HEAD");
  }

  before(() => {
    mkdirSync(repository);
    git("init");
  });
  after(() => rmSync(folder, { recursive: true }));

  it("is unknown before the first commit", () => {
    write("worker/src/a.ts", "1");
    assert.deepEqual(sourceRevision(worker), { commit: "unknown", time: 0 });
  });

  it("is the last commit that touched what is built, and no later one", () => {
    commit("README.md");
    const touched = commit("worker/src/a.ts");
    const time = seconds;
    assert.deepEqual(sourceRevision(worker), { commit: touched, time });
    commit("README.md");
    commit("worker/test/unit/a.test.ts");
    assert.deepEqual(sourceRevision(worker), { commit: touched, time });
  });

  it("says when files differ from it, also new ones, but not those that are never built", () => {
    const { commit: clean, time } = sourceRevision(worker);
    write("worker/test/unit/b.test.ts", "1");
    write("index.ts", "1");
    assert.equal(sourceRevision(worker).commit, clean);
    write("worker/src/b.ts", "1");
    assert.deepEqual(sourceRevision(worker), { commit: `${clean}-dirty`, time });
    rmSync(join(worker, "src/b.ts"));
  });

  it("is unknown in a shallow clone whose oldest commit it would be, and without Git", () => {
    const clone = (depth: number) => {
      const shallow = join(folder, `depth-${String(depth)}`);
      git("clone", "--depth", String(depth), `file://${repository}`, shallow);
      return sourceRevision(join(shallow, "worker"));
    };
    assert.equal(clone(1).commit, "unknown");
    assert.deepEqual(clone(4), sourceRevision(worker));
    const unpacked = join(folder, "tarball/worker");
    mkdirSync(unpacked, { recursive: true });
    assert.deepEqual(sourceRevision(unpacked), { commit: "unknown", time: 0 });
  });
});

describe("revision of the program", () => {
  const repository = mkdtempSync(join(tmpdir(), "temporal-stack-program-"));
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", repository, ...IDENTITY, ...args], { encoding: "utf8" }).trim();

  after(() => rmSync(repository, { recursive: true }));

  it("is unknown without Git, and before the first commit", () => {
    assert.deepEqual(programRevision(repository), { commit: null, dirty: false });
    git("init", "--quiet");
    assert.deepEqual(programRevision(repository), { commit: null, dirty: false });
  });

  it("is what is checked out, and dirty with any file of the program that differs, but with no other", () => {
    writeFileSync(join(repository, "index.ts"), "1");
    git("add", ".");
    git("commit", "--quiet", "--message", "first");
    const commit = git("rev-parse", "HEAD");
    assert.deepEqual(programRevision(repository), { commit, dirty: false });
    for (const beside of ["Pulumi.prod.yaml", "README.md", "gha-creds-1.json"]) {
      writeFileSync(join(repository, beside), "1");
    }
    assert.deepEqual(programRevision(repository), { commit, dirty: false });
    writeFileSync(join(repository, "index.ts"), "2");
    assert.deepEqual(programRevision(repository), { commit, dirty: true });
  });
});
