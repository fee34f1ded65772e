import { createReadStream, existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { z } from "zod";
import { Failure } from "../../common/failure";
import { type DebianPackage, parseDpkgRecords } from "./dpkg";

/** An image is smaller than this; what is larger is no image, or made to keep a scan busy. */
const MOST_ENTRIES = 200_000;
const DEEPEST = 40;

/** What a worker image holds, read from its files. */
export interface ImageContent {
  /** `debian` and `13`; undefined if the image does not tell. */
  readonly distribution: { readonly id: string; readonly version: string } | undefined;
  readonly debianPackages: readonly DebianPackage[];
  /** Version of /nodejs/bin/node; undefined if there is none. */
  readonly node: string | undefined;
  /** Packages by `name@version` that are there as files. */
  readonly npmFiles: ReadonlySet<string>;
  /** Names of packages that are compiled into the workflow bundle. */
  readonly npmBundled: ReadonlySet<string>;
}

const packageSchema = z.looseObject({ name: z.string(), version: z.string() });

/**
 * Reads the root filesystem of a worker image. Links are not followed: an absolute one would lead into this machine.
 *
 * @throws Failure when the folder holds no worker image, or more entries than any has
 */
export async function readRootFilesystem(folder: string): Promise<ImageContent> {
  const modules = join(folder, "app/node_modules");
  if (!existsSync(modules)) {
    throw new Failure(`${folder} is no worker image: it has no /app/node_modules`, "name another one");
  }
  const release = textOf(join(folder, "usr/lib/os-release")) ?? textOf(join(folder, "etc/os-release")) ?? "";
  const id = /^ID="?([\w.-]+)"?$/m.exec(release)?.[1];
  const version = /^VERSION_ID="?([\w.-]+)"?$/m.exec(release)?.[1];
  const bundle = textOf(join(folder, "app/lib/workflow-bundle.js")) ?? "";
  return {
    distribution: id === undefined || version === undefined ? undefined : { id, version },
    debianPackages: debianPackages(join(folder, "var/lib/dpkg")),
    node: await nodeVersion(join(folder, "nodejs/bin/node")),
    npmFiles: new Set(
      filesNamed(modules, "package.json").flatMap((file) => {
        // Only those of packages: a package has others inside, which only say how its files are to be read.
        if (!/(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/.test(`node_modules/${file}`))
          return [];
        const content = packageSchema.safeParse(jsonOf(join(modules, file)));
        return content.success ? [`${content.data.name}@${content.data.version}`] : [];
      }),
    ),
    npmBundled: new Set(
      [...bundle.matchAll(/node_modules\/((?:@[\w.-]+\/)?[\w.-]+)\//g)].flatMap(([, name]) => name ?? []),
    ),
  };
}

function debianPackages(dpkg: string): DebianPackage[] {
  const status = textOf(join(dpkg, "status"));
  const records = join(dpkg, "status.d");
  const distroless = existsSync(records)
    ? readdirSync(records)
        .filter((name) => !name.endsWith(".md5sums"))
        .map((name) => textOf(join(records, name)) ?? "")
    : [];
  return [status ?? "", ...distroless].flatMap(parseDpkgRecords);
}

/** Node.js carries the address of its own sources. */
async function nodeVersion(file: string): Promise<string | undefined> {
  if (!isFile(file)) return undefined;
  let before = "";
  for await (const chunk of createReadStream(file, { encoding: "latin1", highWaterMark: 1 << 20 })) {
    const text = before + String(chunk);
    const version = /\/node-v(\d+\.\d+\.\d+)\.tar\.gz/.exec(text)?.[1];
    if (version !== undefined) return version;
    before = text.slice(-100);
  }
  return undefined;
}

/** Paths below a folder of all files with a name. */
export function filesNamed(root: string, name: string): string[] {
  const found: string[] = [];
  let entries = 0;
  const walk = (folder: string, depth: number): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      entries += 1;
      if (entries > MOST_ENTRIES || depth > DEEPEST) {
        throw new Failure(
          `${root} has more than ${MOST_ENTRIES} entries, or folders ${DEEPEST} deep`,
          "name the root filesystem of an image, and nothing larger",
        );
      }
      const path = join(folder, entry.name);
      // Of a link both are false.
      if (entry.isDirectory()) walk(path, depth + 1);
      else if (entry.isFile() && entry.name === name) found.push(relative(root, path));
    }
  };
  walk(root, 0);
  return found.sort();
}

const isFile = (file: string): boolean => lstatSync(file, { throwIfNoEntry: false })?.isFile() === true;

const textOf = (file: string): string | undefined => (isFile(file) ? readFileSync(file, "utf8") : undefined);

function jsonOf(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
