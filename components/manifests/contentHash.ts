import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What a build of the worker never reads: dependencies, build results, tests. */
export const NEVER_BUILT: readonly string[] = ["node_modules", "lib", "out", "test", "coverage", ".git"];

/**
 * Hash of what an image is built from.
 * @param directory build context
 * @param parameters what else decides about the result: platform, base images
 * @returns the first 16 hexadecimal digits of a SHA-256
 */
export function contentHash(directory: string, parameters: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(parameters));
  for (const file of filesUnder(directory, "")) {
    const content = createHash("sha256")
      .update(readFileSync(join(directory, file)))
      .digest("hex");
    hash.update(`\n${content} ${file}`);
  }
  return hash.digest("hex").slice(0, 16);
}

function filesUnder(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(
      ({ name }) => !NEVER_BUILT.includes(name) && !name.endsWith(".log") && !name.endsWith(".tsbuildinfo"),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return filesUnder(root, path);
      return entry.isFile() ? [path] : [];
    });
}
