import assert from "node:assert/strict";
import { configurationPage, pages, writtenPage } from "../../docs/generate";

describe("documents that are written from the code", () => {
  for (const [file, page] of Object.entries(pages)) {
    it(`docs/${file} is what the code says (else: npm run docs)`, () => {
      assert.equal(writtenPage(file), page());
    });
  }
});

describe("docs/configuration.md", () => {
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
