import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAllowList } from "../../../ci/supplyChain/allowList";

const NOW = new Date("2026-06-15T12:00:00Z");

describe("list of allowed vulnerabilities", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-allow-"));
  after(() => rmSync(folder, { recursive: true }));
  const read = (text: string) => {
    const file = join(folder, "allowed.yaml");
    writeFileSync(file, text);
    return readAllowList(file, NOW);
  };
  const entry = (line: string) =>
    `allowed:\n  - id: CVE-1\n    package: npm:a\n    owner: team\n    reason: only its command line is concerned\n    ${line}\n`;

  it("takes owner, reason and an end within 90 days", () => {
    assert.equal(read(entry("expires: 2026-09-13"))[0]?.expires, "2026-09-13");
    assert.throws(() => read(entry("expires: 2026-09-14")), /is wrong/);
    assert.throws(() => read(entry("note: no end")), /is wrong/);
    assert.throws(() =>
      read(entry("expires: 2026-07-01").replace("only its command line is concerned", "fine")),
    );
  });

  it("of the project is in order, and explained in it", () => {
    const file = join(__dirname, "../../../ci/supplyChain/allowed-vulnerabilities.yaml");
    assert.doesNotThrow(() => readAllowList(file, NOW));
    assert.match(readFileSync(file, "utf8"), /# +expires: /);
  });
});
