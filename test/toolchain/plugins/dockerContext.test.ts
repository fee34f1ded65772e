import assert from "node:assert/strict";
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { hashContext } from "../../../toolchain/plugins/dockerProvider/context";
import { workFolder } from "./pluginProcess";

describe("hash of a build context", () => {
  const context = join(workFolder, "context");
  const dockerfile = join(context, "Dockerfile");

  function write(path: string, content: string): void {
    mkdirSync(dirname(join(context, path)), { recursive: true });
    writeFileSync(join(context, path), content);
  }

  const hash = () => hashContext(context, dockerfile);

  /** Tells whether something that is done to the context changes the hash. */
  async function changes(action: () => void): Promise<boolean> {
    const before = await hash();
    action();
    return (await hash()) !== before;
  }

  beforeEach(() => {
    rmSync(context, { recursive: true, force: true });
    write("Dockerfile", "FROM scratch\n");
    write("src/main.ts", "one");
    write("src/keep/data.txt", "kept");
    write("node_modules/package/index.js", "installed");
    write(".dockerignore", "# comment\nnode_modules\n**/*.log\n\nsrc/keep\n!src/keep/data.txt\n");
  });

  it("is the same for the same files, wherever and whenever they were written", async () => {
    const first = await hash();
    assert.match(first, /^[0-9a-f]{64}$/);
    write("src/main.ts", "one");
    assert.equal(await hash(), first);
    const moved = `${context}-moved`;
    renameSync(context, moved);
    assert.equal(await hashContext(moved, join(moved, "Dockerfile")), first);
    renameSync(moved, context);
  });

  it("changes with a file's content, name and mode, with a link's target and with the Dockerfile", async () => {
    assert.ok(await changes(() => write("src/main.ts", "two")));
    assert.ok(await changes(() => renameSync(join(context, "src/main.ts"), join(context, "src/other.ts"))));
    assert.ok(await changes(() => chmodSync(join(context, "src/other.ts"), 0o755)));
    assert.ok(await changes(() => symlinkSync("main.ts", join(context, "link"))));
    assert.ok(
      await changes(() => {
        rmSync(join(context, "link"));
        symlinkSync("nowhere", join(context, "link"));
      }),
    );
    assert.ok(await changes(() => write("Dockerfile", "FROM scratch\nUSER 1\n")));
    assert.ok(await changes(() => write("src/empty", "")));
  });

  it("leaves out what the ignore file excludes, but not its exceptions", async () => {
    assert.ok(!(await changes(() => write("node_modules/package/index.js", "changed"))));
    assert.ok(!(await changes(() => write("deep/er/trace.log", "x"))));
    assert.ok(!(await changes(() => write("src/keep/other.txt", "x"))));
    assert.ok(await changes(() => write("src/keep/data.txt", "changed")));
  });

  it("finds exceptions below excluded folders, also by wildcard", async () => {
    write(".dockerignore", "*\n!src\n!**/*.sql\n");
    assert.ok(await changes(() => write("src/main.ts", "two")));
    assert.ok(await changes(() => write("db/schema/v1.sql", "x")));
    assert.ok(!(await changes(() => write("db/schema/notes.txt", "x"))));
  });

  it("prefers the Dockerfile's own ignore file, and hashes a Dockerfile outside the context", async () => {
    const outside = join(workFolder, "Worker.Dockerfile");
    writeFileSync(outside, "FROM scratch\n");
    const plain = await hashContext(context, outside);
    writeFileSync(`${outside}.dockerignore`, "src\n");
    const own = await hashContext(context, outside);
    assert.notEqual(own, plain);
    write("src/main.ts", "two");
    assert.equal(await hashContext(context, outside), own);
    writeFileSync(outside, "FROM scratch\nUSER 1\n");
    assert.notEqual(await hashContext(context, outside), own);
  });
});
