import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { checkout } from "../../../common/paths";

const BROKEN = `on: push
jobs:
  first:
    runs-on: ubuntu-24.04
    needs: second
    steps:
      - run: echo \${{ github.event.pull_request.title }}
      - uses: actions/checkout@v4
        with: { depth: 1 }
`;

describe("npm run lint:workflows", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-workflows-"));
  const lint = async (...files: string[]) => {
    const { exitCode, all } = await execa("npm", ["run", "--silent", "lint:workflows", "--", ...files], {
      cwd: checkout,
      all: true,
      reject: false,
    });
    return { exitCode, output: all.replaceAll(/\x1b\[[\d;]*m/g, "") };
  };

  after(() => rmSync(folder, { recursive: true }));

  it("finds nothing in the workflows of this project", async () => {
    const { exitCode, output } = await lint();
    assert.equal(exitCode, 0, output);
    assert.match(output, /actionlint found nothing/);
  });

  it("finds what is broken: an unknown job, a text of others in a shell, an input that the action has not", async () => {
    const file = join(folder, "broken.yml");
    writeFileSync(file, BROKEN);
    const { exitCode, output } = await lint(file);
    assert.equal(exitCode, 1, output);
    assert.match(output, /job "first" needs job "second" which does not exist/);
    assert.match(output, /"github\.event\.pull_request\.title" is potentially untrusted/);
    assert.match(output, /input "depth" is not defined in action "actions\/checkout@v4"/);
  });
});
