import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { checkout } from "../../common/paths";
import { parseSettings } from "../../settings/settings";
import { sourceOfStackFile } from "../../settings/stackFile";

/* All other tests use stack files of their own, in test/fixtures/stacks: what is deployed is no concern of theirs. */
describe("stack files of this checkout", () => {
  const stacks = readdirSync(checkout).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);

  it("are there", () => {
    assert.ok(stacks.includes("local"), stacks.join());
  });

  for (const stack of stacks) {
    it(`${stack} has valid settings`, () => {
      const source = sourceOfStackFile(checkout, stack);
      assert.ok(source);
      parseSettings(source);
    });
  }
});
