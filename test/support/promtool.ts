import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { toolFolder } from "../../common/paths";

/** Debian's package; its 2.42 evaluates every expression that the rules use. */
const PACKAGE = "prometheus";

/** Either the program, or why it cannot be had. */
export type Promtool = { readonly path: string } | { readonly missing: string };

/** The machine's own promtool, or that of Debian's package, unpacked into the cache without installing it. */
export async function findPromtool(): Promise<Promtool> {
  const own = await execa("promtool", ["--version"], { reject: false });
  if (!own.failed) return { path: "promtool" };
  const folder = toolFolder("promtool", "debian");
  const path = join(folder, "promtool");
  if (existsSync(path)) return { path };
  const work = await mkdtemp(join(tmpdir(), "temporal-stack-promtool-"));
  try {
    await execa("apt-get", ["--quiet", "download", PACKAGE], { cwd: work });
    const archive = (await readdir(work)).find((file) => file.endsWith(".deb"));
    if (archive === undefined) return { missing: `apt-get downloaded no package ${PACKAGE}` };
    await mkdir(folder, { recursive: true });
    // Beside its place, as a rename does not leave the file system.
    const unpacked = await mkdtemp(join(folder, "unpacked-"));
    try {
      await execa("dpkg-deb", ["--extract", join(work, archive), unpacked]);
      await rename(join(unpacked, "usr", "bin", "promtool"), path);
    } finally {
      await rm(unpacked, { recursive: true, force: true });
    }
    return { path };
  } catch (error) {
    return { missing: error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error) };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
