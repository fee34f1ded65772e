import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { diffLines } from "diff";
import { z } from "zod";

const root = join(__dirname, "../..");
const page = readFileSync(join(root, "docs/changing-it-safely.md"), "utf8");
/** Lines of the shell blocks, as a reader runs them. */
const lines = [...page.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap(([, block = ""]) =>
  block.trim().split("\n"),
);

describe("docs/changing-it-safely.md", () => {
  it("names commands that there are", () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
    const named = lines.flatMap((line) => /^npm run ([\w:]+)/.exec(line)?.[1] ?? []);
    assert.ok(named.length >= 8, named.join());
    assert.deepEqual(
      named.filter((name) => !(name in scripts)),
      [],
    );
  });

  /** What each edit of the page takes out of its file and puts in. */
  const edits: Readonly<Record<string, string>> = {
    "Pulumi.local.yaml": "+      logLevel: debug\n",
    "worker/src/domain/sample-gateways.ts": [
      '-      if (payment.cardToken === DECLINED_CARD) throw cardDeclined("insufficient funds");\n',
      '+      if (payment.cardToken !== DECLINED_CARD) throw cardDeclined("insufficient funds");\n',
    ].join(""),
  };

  it("has edits that change their files, as the page says", () => {
    const folder = mkdtempSync(join(tmpdir(), "temporal-stack-runbook-"));
    try {
      const commands = lines.filter((line) => line.startsWith("sed "));
      const files = commands.map((command) => command.split(" ").at(-1) ?? "");
      assert.deepEqual(files, Object.keys(edits));
      for (const [index, file] of files.entries()) {
        const [from, to] = [join(root, file), join(folder, file)];
        mkdirSync(dirname(to), { recursive: true });
        cpSync(from, to);
        execFileSync("sh", ["-c", commands[index] ?? ""], { cwd: folder });
        const changes = diffLines(readFileSync(from, "utf8"), readFileSync(to, "utf8"))
          .filter(({ added, removed }) => added || removed)
          .map(({ added, value }) => `${added ? "+" : "-"}${value}`);
        assert.equal(changes.join(""), edits[file]);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
