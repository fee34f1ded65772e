import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { root } from "./folders";
import { claimFolder, foreignFolderProblems, MARKER, type OwnedFolder } from "../../common/ownedFolders";
import { ownedCache, ownedState } from "../../common/ownedFolders";

describe("npm run down", () => {
  const folder = join(root, "named");
  const precious = join(folder, "thesis.txt");
  const programs = join(root, "programs");
  const calls = join(root, "machine-calls");

  beforeEach(() => {
    for (const path of [folder, programs, calls]) rmSync(path, { recursive: true, force: true });
    for (const path of [folder, programs]) mkdirSync(path);
    // A cluster of another state folder runs: its cable is there.
    for (const name of ["ip", "docker", "nsenter"]) {
      writeFileSync(join(programs, name), `#!/bin/sh\necho "${name} $*" >> '${calls}'\n`);
      chmodSync(join(programs, name), 0o755);
    }
  });

  const down = (args: readonly string[], env: Readonly<Record<string, string>>) =>
    execa(
      process.execPath,
      ["--require", "sucrase/register/ts", resolve(__dirname, "../../local/down.ts"), ...args],
      {
        reject: false,
        env: {
          PATH: `${programs}:${process.env["PATH"] ?? ""}`,
          TEMPORAL_STACK_CACHE: join(root, "no-cache"),
          TEMPORAL_STACK_STATE: join(root, "no-state"),
          ...env,
        },
      },
    );
  const called = (): string => (existsSync(calls) ? readFileSync(calls, "utf8") : "");

  it("deletes no folder of somebody else's that a variable names, and names each", async () => {
    writeFileSync(precious, "years of work");
    const variables = { TEMPORAL_STACK_STATE: folder, TEMPORAL_STACK_CACHE: folder };
    const { exitCode, stderr } = await down(["--purge"], variables);
    assert.equal(exitCode, 1);
    for (const variable of Object.keys(variables))
      assert.match(stderr, new RegExp(`${variable} names ${folder}, which holds files .*touch`));
    assert.equal(readFileSync(precious, "utf8"), "years of work");
    assert.equal(called(), "");
  });

  it("deletes the folder that up made, and leaves another state folder's cluster its cable", async () => {
    const path = join(folder, "state");
    claimFolder({ ...ownedState, path });
    writeFileSync(join(path, "passphrase"), "secret");
    const { exitCode, stderr } = await down([], { TEMPORAL_STACK_STATE: path });
    assert.equal(exitCode, 0, stderr);
    assert.equal(existsSync(path), false);
    assert.match(called(), /^ip link show temporal-stack$/m);
    assert.doesNotMatch(called(), /delete|docker|nsenter/);
  });

  it("succeeds after an up with kind that failed before there was kind", async () => {
    const path = join(folder, "state");
    claimFolder({ ...ownedState, path });
    writeFileSync(join(path, "cluster.json"), JSON.stringify({ way: "kind", stack: "local" }));
    const { exitCode, stderr } = await down([], { TEMPORAL_STACK_STATE: path });
    assert.equal(exitCode, 0, stderr);
    assert.equal(existsSync(path), false);
  });

  describe("knows the project's folders", () => {
    const at = (kind: OwnedFolder): OwnedFolder => ({ ...kind, path: folder });

    it("by the marker, which is put in new and empty ones only", () => {
      claimFolder(at(ownedState));
      assert.equal(existsSync(join(folder, MARKER)), true);
      writeFileSync(join(folder, "anything"), "");
      assert.deepEqual(foreignFolderProblems(at(ownedState)), []);
      rmSync(join(folder, MARKER));
      claimFolder(at(ownedState));
      assert.equal(existsSync(join(folder, MARKER)), false);
      assert.equal(foreignFolderProblems(at(ownedState)).length, 1);
    });

    it("by what earlier versions made", () => {
      writeFileSync(join(folder, "cluster.json"), JSON.stringify({ way: "native", stack: "local" }, null, 2));
      assert.deepEqual(foreignFolderProblems(at(ownedState)), []);
      assert.equal(foreignFolderProblems(at(ownedCache)).length, 1);
      rmSync(join(folder, "cluster.json"));
      for (const name of ["tools", "pulumi-home", "go-mod"]) mkdirSync(join(folder, name));
      assert.deepEqual(foreignFolderProblems(at(ownedCache)), []);
      mkdirSync(join(folder, "Documents"));
      assert.equal(foreignFolderProblems(at(ownedCache)).length, 1);
    });

    it("by their standard place", () => {
      writeFileSync(precious, "");
      assert.deepEqual(foreignFolderProblems({ ...at(ownedState), standard: folder }), []);
    });
  });
});
