import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { stateFolder } from "../../common/paths";
import { footprint } from "./footprint";
import { footprintBefore } from "./machine";
import { succeed } from "./support";

describe("npm run down", () => {
  it("leaves no process, mount, network interface, packet filter rule or control group", async () => {
    const running = footprint();
    assert.ok(running.processes.length > footprintBefore.get().processes.length, "nothing was running");
    await succeed(["npm", "run", "down"]);
    await footprintBefore.assertRestored();
    assert.equal(existsSync(stateFolder), false);
  });

  it("has nothing to do when it runs again", async () => {
    await succeed(["npm", "run", "down"]);
  });
});
