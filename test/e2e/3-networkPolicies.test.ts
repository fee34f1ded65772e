import assert from "node:assert/strict";
import { parseSettings } from "../../settings/settings";
import { engineConfig, stackConfig } from "../program/stack";
import { enforcePolicies, removeOutsider, tryEveryPair } from "./checks/flows";

describe("NetworkPolicies", () => {
  before("they are enforced, and a pod of somebody else is there", enforcePolicies);
  after(removeOutsider);

  it("let every listed flow through, and nothing else, to the API server and the node neither", async () => {
    const settings = parseSettings({
      stack: "local",
      stackFile: "Pulumi.local.yaml",
      config: engineConfig(stackConfig("local")),
      secretKeys: [],
    });
    const { tried, wrong } = await tryEveryPair(settings);
    assert.deepEqual(wrong, []);
    assert.ok(tried >= 12, `only ${tried} pairs were tried`);
  });
});
