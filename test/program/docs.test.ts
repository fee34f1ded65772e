import assert from "node:assert/strict";
import { configurationPage, writtenPage } from "../../docs/generate";

describe("docs/configuration.md", () => {
  it("is what the schema says (else: npm run docs)", () => {
    assert.equal(writtenPage(), configurationPage());
  });

  it("explains every key", () => {
    const rows = configurationPage()
      .split("\n")
      .filter((line) => line.startsWith("| `"));
    assert.ok(rows.length > 60);
    assert.deepEqual(
      rows.filter((row) => row.endsWith(" |  |")),
      [],
    );
  });
});
