import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Ajv from "ajv";
import { execa } from "execa";
import { checkout } from "../../../common/paths";

/** The package is too large to depend on; its schema is all that is wanted. */
const RENOVATE = "renovate@44.121.2";

describe("renovate.json", () => {
  const folder = mkdtempSync(join(tmpdir(), "temporal-stack-renovate-"));
  after(() => rmSync(folder, { recursive: true }));

  it("is what Renovate's own schema asks for", async () => {
    const { stdout } = await execa("npm", ["pack", "--silent", RENOVATE], { cwd: folder });
    const archive = stdout.trim().split("\n").at(-1) ?? "";
    await execa("tar", ["-xzf", archive, "package/renovate-schema.json"], { cwd: folder });
    const schema: unknown = JSON.parse(readFileSync(join(folder, "package/renovate-schema.json"), "utf8"));
    assert.ok(typeof schema === "object" && schema !== null);
    const validate = new Ajv({ strict: false, allErrors: true, logger: false }).compile(schema);
    const config: unknown = JSON.parse(readFileSync(join(checkout, "renovate.json"), "utf8"));
    assert.ok(validate(config), JSON.stringify(validate.errors, null, 2));
    assert.ok(!validate({ ...(config as object), minimumReleaseAge: 7 }));
  });
});
