import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { PROJECT_ROOT } from "../program/stack";

describe("commands that pipelines run", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-command-"));
  const imported = (path: string) => JSON.stringify(join(PROJECT_ROOT, path));
  const start = (script: string) =>
    execa(process.execPath, ["--require", "sucrase/register/ts", join(folder, script)], {
      cwd: PROJECT_ROOT,
      reject: false,
      extendEnv: true,
      env: { NODE_PATH: join(PROJECT_ROOT, "node_modules") },
    });

  before(() => {
    writeFileSync(
      join(folder, "child.ts"),
      `process.on("SIGINT", () => setTimeout(() => { console.log("tidied up"); process.exit(130); }, 500));
       setInterval(() => undefined, 1000);
       console.log("started");`,
    );
    writeFileSync(
      join(folder, "parent.ts"),
      `import { Command } from "commander";
       import { runCommand } from ${imported("common/command")};
       import { runProjectCommand } from ${imported("ci/projectCommand")};
       runCommand(new Command("parent"), async () => {
         console.log("child ended with", await runProjectCommand(${JSON.stringify(join(folder, "child"))}, []));
       });`,
    );
  });
  after(() => rmSync(folder, { recursive: true }));

  it("end before the command that was interrupted, and after they have tidied up", async () => {
    const parent = start("parent.ts");
    parent.stdout.on("data", (text: Buffer) => {
      if (text.toString().includes("started")) parent.kill("SIGTERM");
    });
    const { exitCode, stdout, stderr } = await parent;
    assert.match(stdout, /tidied up/);
    assert.match(stderr, /interrupted/);
    assert.equal(exitCode, 130);
  });
});
