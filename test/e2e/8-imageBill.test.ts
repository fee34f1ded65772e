import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tools } from "../../settings/versions";
import { readComponents } from "../../ci/supplyChain/components";
import { pulumi, succeed } from "./support";

/** On the image that the stack of the tests before runs. */
describe("npm run sbom -- --image", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-bill-"));
  const bill = (image: string, name: string) =>
    succeed(["npm", "run", "--silent", "sbom", "--", "--image", image, "--output", join(folder, name)]);
  after(() => rmSync(folder, { recursive: true }));

  it("lists the packages of both, base image and worker, and its Node.js; twice the same", async () => {
    const { output } = await pulumi("stack", "output", "workerImage");
    const image = output.trim();
    assert.match(image, /@sha256:[0-9a-f]{64}$/);
    await bill(image, "one.json");
    await bill(image, "two.json");
    const text = readFileSync(join(folder, "one.json"), "utf8");
    assert.equal(readFileSync(join(folder, "two.json"), "utf8"), text);
    assert.ok(text.includes(image.slice(image.indexOf("sha256:"))));
    const { known, unknown } = readComponents(join(folder, "one.json"));
    assert.deepEqual(unknown, []);
    const found = new Map(known.map(({ label, version }) => [label, version]));
    assert.equal(found.get("node"), tools.node);
    for (const label of ["deb:glibc", "deb:tzdata", "npm:@temporalio/core-bridge", "npm:pino"]) {
      assert.ok(found.has(label), label);
    }
    assert.ok(!found.has("npm:webpack"));
  });
});
