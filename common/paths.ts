import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import envPaths from "env-paths";

const { cache: standardCache, log: standardState } = envPaths("temporal-stack", { suffix: "" });

/** Where the two folders are unless environment variables name others: they bear the project's name. */
export const standardFolders = { cache: standardCache, state: standardState } as const;

/** The folder of this repository's working tree. */
export const checkout = resolve(__dirname, "..");

/** What is expensive to make and the same for every cluster: programs, Go caches, images. Kept by `down`. */
export const cacheFolder = resolve(process.env["TEMPORAL_STACK_CACHE"] ?? standardFolders.cache);

/** What belongs to the running cluster and its stack: data, keys, logs, pid files. Removed by `down`. */
export const stateFolder = resolve(process.env["TEMPORAL_STACK_STATE"] ?? standardFolders.state);

export const cache = (...parts: string[]): string => join(cacheFolder, ...parts);
export const state = (...parts: string[]): string => join(stateFolder, ...parts);

/** Where a program of the toolchain is kept, by its version. */
export const toolFolder = (name: string, version: string): string => cache("tools", name, version);

/** Creates a folder that only its owner can read, and returns its path. */
export function privateFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}
