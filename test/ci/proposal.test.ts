import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { hasChanges, pushProposal } from "../../ci/proposal";

describe("proposal of a change", () => {
  const root = mkdtempSync(join(tmpdir(), "temporal-stack-proposal-"));
  const remote = join(root, "remote");
  const folder = join(root, "clone");
  const git = async (...args: string[]): Promise<string> =>
    (
      await execa("git", ["-c", "user.name=test", "-c", "user.email=test@example.com", ...args], {
        cwd: folder,
      })
    ).stdout;
  const file = join(folder, "Pulumi.prod.yaml");
  const propose = () =>
    pushProposal({ folder, files: ["Pulumi.prod.yaml"], branch: "promote/prod", message: "Promote" });

  before(async () => {
    await execa("git", ["init", "--quiet", "--bare", "--initial-branch", "main", remote]);
    await execa("git", ["clone", "--quiet", remote, folder], { stderr: "ignore" });
    writeFileSync(file, "digest: one\n");
    await git("add", "--all");
    await git("commit", "--quiet", "--message", "first");
    await git("push", "--quiet", "origin", "HEAD:main");
  });

  beforeEach(() => git("checkout", "--quiet", "--force", "HEAD", "--", "."));
  after(() => rmSync(root, { recursive: true }));

  it("is a branch with one commit on the checked out one, which stays as it is", async () => {
    assert.equal(await hasChanges(folder), false);
    for (const digest of ["two", "three"]) {
      writeFileSync(file, `digest: ${digest}\n`);
      assert.equal(await hasChanges(folder), true);
      await propose();
    }
    await git("fetch", "--quiet");
    assert.equal(await git("show", "origin/promote/prod:Pulumi.prod.yaml"), "digest: three");
    assert.equal(await git("rev-parse", "origin/promote/prod^"), await git("rev-parse", "origin/main"));
    assert.equal(await git("rev-parse", "HEAD"), await git("rev-parse", "origin/main"));
    assert.equal(readFileSync(file, "utf8"), "digest: three\n");
  });

  it("refuses to take along other files", async () => {
    writeFileSync(file, "digest: four\n");
    writeFileSync(join(folder, "stray.txt"), "");
    await assert.rejects(propose(), /other files have changed, too: stray\.txt/);
    rmSync(join(folder, "stray.txt"));
    await git("fetch", "--quiet");
    assert.equal(await git("show", "origin/promote/prod:Pulumi.prod.yaml"), "digest: three");
  });
});
