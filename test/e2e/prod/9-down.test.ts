import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { stateFolder } from "../../../common/paths";
import { footprintBefore } from "../machine";
import { succeed } from "../support";

describe("npm run down, of stack prod", () => {
  it("destroys the stack in order and leaves nothing", async () => {
    const output = await succeed(["npm", "run", "down"]);
    assert.doesNotMatch(output, /could not be destroyed/);
    await footprintBefore.assertRestored();
    assert.equal(existsSync(stateFolder), false);
  });
});
