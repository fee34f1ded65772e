import { readFileSync } from "node:fs";
import { z } from "zod";
import { Failure } from "../../common/failure";

const entrySchema = z.looseObject({
  name: z.string().optional(),
  version: z.string().optional(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  // Of old packages, a list of objects.
  license: z.string().optional().catch(undefined),
  dev: z.boolean().default(false),
  devOptional: z.boolean().default(false),
  link: z.boolean().default(false),
  inBundle: z.boolean().default(false),
  hasInstallScript: z.boolean().default(false),
});
const lockfileSchema = z.object({ lockfileVersion: z.number(), packages: z.record(z.string(), entrySchema) });

/** One package of a lock file. */
export interface LockedPackage extends z.output<typeof entrySchema> {
  /** Folder below the lock file's, such as `node_modules/a/node_modules/@b/c`. */
  readonly path: string;
  readonly name: string;
}

/** The content of a package-lock.json. */
export interface Lockfile {
  readonly file: string;
  readonly lockfileVersion: number;
  /** Without the package that the file belongs to. */
  readonly packages: readonly LockedPackage[];
}

/**
 * Reads a package-lock.json.
 *
 * @throws Failure when it is none
 */
export function readLockfile(file: string): Lockfile {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Failure(`${file} cannot be read: ${String(error)}`, "restore it from the commit");
  }
  const parsed = lockfileSchema.safeParse(content);
  if (!parsed.success) throw new Failure(`${file} is no lock file of npm`, "restore it from the commit");
  const { lockfileVersion, packages } = parsed.data;
  return {
    file,
    lockfileVersion,
    packages: Object.entries(packages)
      .filter(([path]) => path !== "")
      .map(([path, entry]) => ({ ...entry, path, name: entry.name ?? nameOf(path) })),
  };
}

/** The name by which a package is installed: the last part of its folder. */
export const nameOf = (path: string): string => path.slice(path.lastIndexOf("node_modules/") + 13);
