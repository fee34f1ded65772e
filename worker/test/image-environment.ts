import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * How the image has native memory given back, by its Dockerfile.
 *
 * @throws Error when that says nothing about it any more
 */
export function imageAllocator(): Record<string, string> {
  const dockerfile = readFileSync(join(__dirname, "..", "Dockerfile"), "utf8");
  const settings = [...dockerfile.matchAll(/\b(MALLOC_\w+)=(\d+)/g)];
  if (settings.length === 0) throw new Error("worker/Dockerfile sets no MALLOC_ variable");
  return Object.fromEntries(settings.map(([, name = "", value = ""]) => [name, value]));
}
