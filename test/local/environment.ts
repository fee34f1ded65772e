import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of these tests' own, removed when their process ends. */
export const root = mkdtempSync(join(tmpdir(), "temporal-stack-test-"));

// Read once, when common/paths.ts is loaded.
process.env["TEMPORAL_STACK_CACHE"] = join(root, "cache");
process.env["TEMPORAL_STACK_STATE"] = join(root, "state");

process.on("exit", () => rmSync(root, { recursive: true, force: true }));
