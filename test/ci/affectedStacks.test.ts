import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { execa } from "execa";
import { affectedStacks, stacksAmong } from "../../ci/affectedStacks";
import { PROGRAM_PATHS } from "../../components/manifests/programPaths";
import { PROJECT_ROOT } from "../program/stack";

const STACKS = ["dev", "prod"];

/** Every file of the checkout that a file imports, directly or not. */
function importsOf(file: string, known = new Set<string>()): Set<string> {
  if (known.has(file)) return known;
  known.add(file);
  const text = readFileSync(join(PROJECT_ROOT, file), "utf8");
  for (const [, path = ""] of text.matchAll(/(?:from|import\() *"(\.[^"]+)"/g)) {
    const target = join(dirname(file), path);
    const found = [`${target}.ts`, join(target, "index.ts"), target].find(
      (candidate) => candidate.endsWith(".ts") && existsSync(join(PROJECT_ROOT, candidate)),
    );
    assert.ok(found !== undefined, `${file} imports ${path}`);
    importsOf(found, known);
  }
  return known;
}

describe("stacks that a change touches", () => {
  it("all of them, if it is a change of the program", () => {
    for (const file of ["index.ts", "components/worker.ts", "worker/src/main.ts", "package-lock.json"]) {
      assert.deepEqual(affectedStacks([file], STACKS), STACKS, file);
    }
  });

  it("the one whose file it is", () => {
    assert.deepEqual(affectedStacks(["Pulumi.prod.yaml", "README.md"], STACKS), ["prod"]);
  });

  it("those that the file of a worker group names, and all of them if nobody can read it", () => {
    const file = "workers/billing.yaml";
    assert.deepEqual(affectedStacks([file], STACKS, { [file]: ["prod", "local"] }), ["prod"]);
    assert.deepEqual(affectedStacks([file], STACKS, { [file]: undefined }), STACKS);
    assert.deepEqual(affectedStacks([file, "index.ts"], STACKS, { [file]: ["prod"] }), STACKS);
  });

  it("none, if it is of documents, tests or pipelines, or of a name that only begins like one", () => {
    const files = ["worker/README.md", "test/e2e/1-up.test.ts", ".github/workflows/ci.yml", "index.ts.md"];
    assert.deepEqual(affectedStacks([...files, "componentsX/a.ts", "Pulumi.yaml.bak"], STACKS), []);
  });

  it("every file that the program imports is one of the program", () => {
    const imported = [...importsOf("index.ts")];
    assert.ok(imported.length > 50);
    assert.deepEqual(
      imported.filter((file) => affectedStacks([relative("", file)], STACKS).length === 0),
      [],
    );
    // Users add the file of transforms.
    for (const path of PROGRAM_PATHS.filter((path) => path !== "policy/" && path !== "transforms.ts")) {
      assert.ok(existsSync(join(PROJECT_ROOT, path)), path);
    }
  });

  it("are those with a file, without the local one", () => {
    const files = [
      "Pulumi.yaml",
      "Pulumi.local.yaml",
      "Pulumi.prod.yaml",
      "Pulumi.dev.yaml",
      "a/Pulumi.x.yaml",
    ];
    assert.deepEqual(stacksAmong(files), STACKS);
  });
});

describe("npm run ci:changed-stacks", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-changed-"));
  const git = (...args: string[]) =>
    execa("git", ["-c", "user.name=test", "-c", "user.email=test@example.com", ...args], { cwd: folder });
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  };
  async function commit(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [file, text] of Object.entries(files)) write(file, text);
    await git("add", "--all");
    await git("commit", "--quiet", "--message", "change");
  }
  const run = (...args: string[]) => runAs("somebody", ...args);
  const runAs = (actor: string, ...args: string[]) =>
    execa(
      process.execPath,
      [
        ...["--require", join(PROJECT_ROOT, "node_modules/sucrase/register/ts.js")],
        join(PROJECT_ROOT, "ci/changedStacks.ts"),
        ...args,
      ],
      {
        cwd: folder,
        reject: false,
        env: {
          GITHUB_OUTPUT: join(folder, ".git/output"),
          GITHUB_STEP_SUMMARY: join(folder, ".git/summary"),
          GITHUB_ACTOR: actor,
        },
      },
    );
  const outputs = () => readFileSync(join(folder, ".git/output"), "utf8");

  before(async () => {
    await git("init", "--quiet", "--initial-branch", "main");
    await commit({
      "Pulumi.dev.yaml": "a",
      "Pulumi.prod.yaml": "a",
      "Pulumi.local.yaml": "a",
      "index.ts": "a",
    });
    await git("checkout", "--quiet", "-b", "change");
    await commit({ "Pulumi.prod.yaml": "b", "docs/a \n b.md": "a" });
    await git("checkout", "--quiet", "main");
    await commit({ "index.ts": "only on main" });
  });

  after(() => rmSync(folder, { recursive: true }));

  it("names none to Dependabot, whose runs have no secrets, and says so", async () => {
    const { exitCode, stderr } = await runAs("dependabot[bot]", "--base", "main", "--head", "change");
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /NOT PREVIEWED: prod\./);
    assert.match(readFileSync(join(folder, ".git/summary"), "utf8"), /NOT PREVIEWED: prod\./);
    assert.equal(outputs(), "open=[]\nguarded=[]\n");
    rmSync(join(folder, ".git/output"));
  });

  it("compares with where both have parted, and keeps guarded stacks apart", async () => {
    const { exitCode, stderr } = await run("--base", "main", "--head", "change");
    assert.equal(exitCode, 0, stderr);
    assert.equal(outputs(), 'open=[]\nguarded=["prod"]\n');
  });

  it("reads the files of worker groups before the change and after it", async () => {
    const group = (stacks: string) => ({ "workers/billing.yaml": `stacks: { ${stacks}: {} }\n` });
    await git("checkout", "--quiet", "-B", "groups", "main");
    await commit(group("dev"));
    await git("checkout", "--quiet", "-b", "moved");
    await commit(group("prod"));
    const touched = async (base: string, head: string) => {
      rmSync(join(folder, ".git/output"), { force: true });
      const { exitCode, stderr } = await run("--base", base, "--head", head);
      assert.equal(exitCode, 0, stderr);
      return outputs();
    };
    assert.equal(await touched("main", "groups"), 'open=["dev"]\nguarded=[]\n');
    assert.equal(await touched("groups", "moved"), 'open=["dev"]\nguarded=["prod"]\n');
    await commit({ "workers/billing.yaml": "stacks: [" });
    assert.equal(await touched("main", "moved"), 'open=["dev"]\nguarded=["prod"]\n');
  });

  it("refuses a commit that the clone does not have, instead of touching nothing", async () => {
    const { exitCode, stderr } = await run("--base", "0123456789012345678901234567890123456789");
    assert.equal(exitCode, 1);
    assert.match(stderr, /which stacks the change touches is not known/);
  });
});
