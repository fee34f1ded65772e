import assert from "node:assert/strict";
import { join } from "node:path";
import { releasesOutput } from "../../components/guards/releases";
import { contentHash } from "../../components/manifests/contentHash";
import { FAKE_DIGEST } from "../emulation";
import type { Deployment, Values } from "../harness";
import { deployStack, mappingAt, PROJECT_ROOT, stackConfig } from "./stack";

const KEY = "temporal-stack:workerImage";
const SINCE = "2026-01-31T12:00:00.000Z";
const held = (changes: Values) => ({
  quarantine: [
    { digest: `sha256:${"f".repeat(64)}`, sources: null, since: SINCE, reason: "orders failed", ...changes },
  ],
});

describe("a stack with an image in quarantine", () => {
  const sources = contentHash(join(PROJECT_ROOT, "worker"), []);
  let deployed: Deployment;

  before(async () => {
    deployed = await deployStack("local");
  });

  const refused = async (options: Parameters<typeof deployStack>[1], pattern: RegExp): Promise<void> => {
    await assert.rejects(deployStack("local", options), pattern);
  };

  it("refuses it by digest before any resource, in a preview too", async () => {
    const changes = { [KEY]: { ...mappingAt(stackConfig("local"), KEY), digest: FAKE_DIGEST } };
    const stackOutputs = held({ digest: FAKE_DIGEST });
    for (const preview of [true, false]) {
      await refused({ changes, stackOutputs, preview }, /is in quarantine .*\nNothing was changed/);
    }
  });

  it("refuses to build the same sources, before the build", async () => {
    await refused(
      { stackOutputs: held({ sources }), preview: true },
      /what worker\/ is built into is in quarantine/,
    );
  });

  it("refuses what a build turned out to be", async () => {
    await refused(
      { stackOutputs: held({ digest: FAKE_DIGEST }) },
      /the worker image sha256:(ab)+ is in quarantine/,
    );
  });

  it("refuses everything when it cannot read what is held", async () => {
    await refused(
      { stackOutputs: { quarantine: ["of another form"] } },
      /has a form that this program does not know/,
    );
  });

  it("passes others on, and remembers what is held and what the settings add", async () => {
    const added = { digest: `sha256:${"e".repeat(64)}`, since: SINCE, reason: "added" };
    const { outputs } = await deployStack("local", {
      stackOutputs: held({}),
      changes: { "temporal-stack:quarantine": { add: [added] } },
    });
    assert.deepEqual(outputs["quarantine"], [...held({}).quarantine, { ...added, sources: null }]);
  });

  it("lets go what the settings release, and only then", async () => {
    const release = [{ digest: FAKE_DIGEST, since: SINCE, reason: "the test was wrong" }];
    const { outputs } = await deployStack("local", {
      stackOutputs: held({ digest: FAKE_DIGEST, sources }),
      changes: { "temporal-stack:quarantine": { release } },
    });
    assert.deepEqual(outputs["quarantine"], []);
  });

  it("remembers what it deployed: image, sources, commit, and what guards go by", () => {
    const [release, ...more] = releasesOutput.parse(deployed.outputs["releases"]);
    assert.deepEqual(more, []);
    assert.ok(release);
    assert.ok(release.image.endsWith(FAKE_DIGEST));
    assert.equal(release.sources, sources);
    assert.deepEqual(release.deployed, deployed.outputs["deployed"]);
    assert.deepEqual(release.payloadKeys, ["key-1"]);
  });

  it("remembers nothing new when nothing is", async () => {
    const again = await deployStack("local", { stackOutputs: deployed.outputs });
    assert.deepEqual(again.outputs["releases"], deployed.outputs["releases"]);
  });
});
