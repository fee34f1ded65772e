import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import ignore from "@balena/dockerignore";

interface Exclusion {
  excludes(path: string): boolean;
  /** Whether something inside an excluded folder may be included again. */
  mayReinclude(folder: string): boolean;
}

/** The ignore file of a build: the Dockerfile's own before the context's, as Docker does it. */
function ignoreLines(context: string, dockerfile: string): string[] {
  const file = [`${dockerfile}.dockerignore`, join(context, ".dockerignore")].find((path) =>
    existsSync(path),
  );
  if (file === undefined) return [];
  return readFileSync(file, "utf8")
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** Compares a `!` pattern with a folder part by part, up to the first wildcard. */
function reaches(pattern: string, folder: string): boolean {
  const parts = pattern.replace(/^!\s*\/?/, "").split("/");
  return folder.split("/").every((part, index) => {
    const wildcards = parts.slice(0, index + 1).some((candidate) => /[*?[]/.test(candidate));
    return wildcards || parts[index] === part;
  });
}

function exclusion(lines: readonly string[]): Exclusion {
  const rules = ignore().add([...lines]);
  const exceptions = lines.filter((line) => line.startsWith("!"));
  return {
    excludes: (path) => rules.ignores(path),
    mayReinclude: (folder) => exceptions.some((pattern) => reaches(pattern, folder)),
  };
}

function* contextFiles(root: string, folder: string, exclude: Exclusion): Generator<string> {
  const names = readdirSync(join(root, folder), { withFileTypes: true });
  names.sort((left, right) => (left.name < right.name ? -1 : 1));
  for (const entry of names) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    const excluded = exclude.excludes(path);
    if (!entry.isDirectory()) {
      if (!excluded) yield path;
    } else if (!excluded || exclude.mayReinclude(path)) {
      yield* contextFiles(root, path, exclude);
    }
  }
}

async function contentHash(file: string, stats: Stats): Promise<Buffer> {
  const hash = createHash("sha256");
  if (stats.isSymbolicLink()) hash.update(readlinkSync(file));
  else if (stats.isFile()) hash.update(await readFile(file));
  return hash.digest();
}

/**
 * Hashes what a build depends on: the Dockerfile, and the name, mode and content of every file of the context
 * that its ignore file does not exclude. A symbolic link counts by where it points.
 *
 * @param context Folder of the build context.
 * @param dockerfile Path of the Dockerfile, inside the context or not.
 * @returns 64 hexadecimal digits.
 */
export async function hashContext(context: string, dockerfile: string): Promise<string> {
  const hash = createHash("sha256");
  hash.update("Dockerfile\0").update(await contentHash(dockerfile, lstatSync(dockerfile)));
  const exclude = exclusion(ignoreLines(context, dockerfile));
  for (const path of contextFiles(context, "", exclude)) {
    const file = join(context, path);
    const stats = lstatSync(file);
    hash.update(`${path}\0${stats.mode.toString(8)}\0`).update(await contentHash(file, stats));
  }
  return hash.digest("hex");
}
