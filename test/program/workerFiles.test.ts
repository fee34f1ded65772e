import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sourceOfStackFile } from "../../settings/stackFile";
import { parseSettings } from "../../settings/settings";
import { listAt, mappingAt, deployStack, objectsOf, stackConfig } from "./stack";
import { stringify } from "yaml";

const DIGEST = `sha256:${"a".repeat(64)}`;

describe("a program with files of worker groups", () => {
  const root = mkdtempSync(join(tmpdir(), "temporal-stack-test-"));
  after(() => rmSync(root, { recursive: true }));

  it("deploys the groups that a command reads without the engine", async () => {
    mkdirSync(join(root, "workers"));
    writeFileSync(join(root, "Pulumi.dev.yaml"), stringify({ config: stackConfig("dev") }));
    writeFileSync(
      join(root, "workers/billing.yaml"),
      `taskQueues: [billing]\nimage: { repository: registry.example.com/billing, digest: "${DIGEST}" }\nstacks: { dev: {} }\n`,
    );
    const deployment = await deployStack("dev", { root });
    const found = mappingAt(
      objectsOf(deployment, "Deployment").find(
        ({ registration }) => registration.name === "worker-billing-deployment",
      )?.inputs,
    );
    const [container] = listAt(found, "spec", "template", "spec", "containers");
    assert.equal(mappingAt(container)["image"], `registry.example.com/billing@${DIGEST}`);
    const source = sourceOfStackFile(root, "dev");
    assert.ok(source);
    assert.deepEqual(
      listAt(deployment.outputs, "workers").map((group) => mappingAt(group)["name"]),
      parseSettings(source).workers.map(({ name }) => name),
    );
  });
});
