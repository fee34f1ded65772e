import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, privateFolder, standardFolders, stateFolder } from "./paths";

/** In a folder that `npm run up` made: whatever else is in there may be deleted with it. */
export const MARKER = ".temporal-stack";
const MARKER_TEXT = "npm run up made this folder; npm run down deletes it, with everything in it.\n";

/** A folder that an environment variable may name, and that `npm run down` deletes as a whole. */
export interface OwnedFolder {
  readonly path: string;
  readonly variable: string;
  readonly standard: string;
  /** Whether versions before the marker filled it. */
  readonly isFromEarlierVersion: (entries: readonly string[], path: string) => boolean;
}

const earlierCacheEntries = new Set([
  ...["assets", "build", "docker", "go-build", "go-mod", "images"],
  ...["pulumi-home", "registry", "rootfs", "tools"],
]);

export const ownedState: OwnedFolder = {
  path: stateFolder,
  variable: "TEMPORAL_STACK_STATE",
  standard: standardFolders.state,
  isFromEarlierVersion: (entries, path) =>
    entries.includes("cluster.json") && readFileSync(join(path, "cluster.json"), "utf8").includes('"way": '),
};

export const ownedCache: OwnedFolder = {
  path: cacheFolder,
  variable: "TEMPORAL_STACK_CACHE",
  standard: standardFolders.cache,
  isFromEarlierVersion: (entries) =>
    entries.includes("tools") && entries.every((name) => earlierCacheEntries.has(name)),
};

/** Why a folder may neither be filled nor deleted; nothing for one of the project's own. */
export function foreignFolderProblems(folder: OwnedFolder): string[] {
  const { path, variable } = folder;
  return isOwned(folder)
    ? []
    : [
        `${variable} names ${path}, which holds files that npm run up did not make: ` +
          `name an empty or a new folder, or run touch '${join(path, MARKER)}' if all of it may be deleted`,
      ];
}

/** Creates a folder that only its owner can read, if it is not there, and marks it as the project's own. */
export function claimFolder(folder: OwnedFolder): void {
  privateFolder(folder.path);
  const marker = join(folder.path, MARKER);
  if (isOwned(folder) && !existsSync(marker)) writeFileSync(marker, MARKER_TEXT, { mode: 0o600 });
}

function isOwned({ path, standard, isFromEarlierVersion }: OwnedFolder): boolean {
  if (path === standard || !existsSync(path)) return true;
  const entries = readdirSync(path);
  return entries.length === 0 || entries.includes(MARKER) || isFromEarlierVersion(entries, path);
}
