import assert from "node:assert/strict";
import { parseSettings } from "../../settings/settings";
import { sourceOfStackFile } from "../../settings/stackFile";
import { enforcePolicies, removeOutsider, tryEveryPair } from "./checks/flows";
import { repository } from "./support";

describe("NetworkPolicies", () => {
  before("they are enforced, and a pod of somebody else is there", enforcePolicies);
  after(removeOutsider);

  it("let every listed flow through, and nothing else, to the API server and the node neither", async () => {
    const source = sourceOfStackFile(repository, "local");
    assert.ok(source);
    const { tried, wrong } = await tryEveryPair(parseSettings(source));
    assert.deepEqual(wrong, []);
    assert.ok(tried >= 12, `only ${tried} pairs were tried`);
  });
});
