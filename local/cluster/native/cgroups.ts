import { existsSync } from "node:fs";
import { mkdir, readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";

const root = "/sys/fs/cgroup";

/** The parent of every control group that the cluster makes. */
export const cgroupName = "temporal-stack";

/** One hierarchy (version 2), or one for each controller (version 1). */
async function hierarchies(): Promise<string[]> {
  if (existsSync(join(root, "cgroup.controllers"))) return [root];
  const entries = await readdir(root, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(root, entry.name));
}

export async function createCgroups(): Promise<void> {
  for (const hierarchy of await hierarchies()) await mkdir(join(hierarchy, cgroupName), { recursive: true });
}

/** Removes the control groups; their processes have to be gone. */
export async function removeCgroups(): Promise<void> {
  for (const hierarchy of await hierarchies()) {
    const group = join(hierarchy, cgroupName);
    if (existsSync(group)) await removeTree(group);
  }
}

async function removeTree(group: string): Promise<void> {
  const entries = await readdir(group, { withFileTypes: true });
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(group, entry.name));
  await rmdir(group);
}
