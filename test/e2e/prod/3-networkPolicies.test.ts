import assert from "node:assert/strict";
import { enforcePolicies, removeOutsider, tryEveryPair } from "../checks/flows";
import { deployedSettings } from "./support";

describe("NetworkPolicies of stack prod", () => {
  before("they are enforced, and a pod of somebody else is there", enforcePolicies);
  after(removeOutsider);

  it("let every listed flow through, and nothing else, to the API server and the node neither", async () => {
    const { tried, wrong } = await tryEveryPair(deployedSettings());
    assert.deepEqual(wrong, []);
    assert.ok(tried >= 500, `only ${tried} pairs were tried`);
  });
});
