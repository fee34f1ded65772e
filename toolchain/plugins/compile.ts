import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A file by its path relative to the folder that it belongs to. */
export type Files = ReadonlyMap<string, string>;

/** Reads the TypeScript sources of the given folders below `root`. */
export function readSources(root: string, folders: readonly string[]): Files {
  const files = new Map<string, string>();
  for (const folder of folders) {
    for (const name of readdirSync(join(root, folder)).sort()) {
      if (name.endsWith(".ts"))
        files.set(`${folder}/${name}`, readFileSync(join(root, folder, name), "utf8"));
    }
  }
  return files;
}

/**
 * Compiles sources to what plain node runs, so that a plugin's start costs no compilation.
 *
 * Types are not checked here; that is `npm test`'s work.
 */
export async function compileSources(sources: Files): Promise<Files> {
  const { default: typescript } = await import("typescript");
  const compilerOptions = {
    target: typescript.ScriptTarget.ES2022,
    module: typescript.ModuleKind.CommonJS,
    esModuleInterop: true,
  };
  return new Map(
    [...sources].map(([name, source]) => [
      name.replace(/\.ts$/, ".js"),
      typescript.transpileModule(source, { compilerOptions, fileName: name }).outputText,
    ]),
  );
}
