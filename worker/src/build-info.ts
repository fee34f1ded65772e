import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** What runs. */
export interface BuildInfo {
  /** Version of this package. */
  readonly version: string;
  /** Build id of worker versioning; empty without one. */
  readonly buildId: string;
}

const packageJson = z.object({ version: z.string() });

/** @param environment the build id is its `TEMPORAL_WORKER_BUILD_ID` */
export function buildInfo(environment: Readonly<Record<string, string | undefined>>): BuildInfo {
  const text = readFileSync(join(__dirname, "..", "package.json"), "utf8");
  return {
    version: packageJson.parse(JSON.parse(text)).version,
    buildId: environment["TEMPORAL_WORKER_BUILD_ID"] ?? "",
  };
}
