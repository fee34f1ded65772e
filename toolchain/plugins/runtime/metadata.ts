import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a plugin process knows about itself. */
export interface PluginMetadata {
  /** Name under which the engine looks the plugin up: `nodejs`, `random`, `docker`. */
  readonly name: string;
  /** Version of the official plugin whose behaviour is provided. */
  readonly version: string;
}

/** File that the installer writes beside the entry point of a plugin. */
export const METADATA_FILE = "plugin.json";

/**
 * Reads the name and version that the installer recorded beside the plugin's code.
 *
 * @param codeDirectory Folder of the installed entry point, holding `plugin.json`.
 * @throws Error if the file is missing or lacks a field: the installation is damaged.
 */
export function readMetadata(codeDirectory: string): PluginMetadata {
  const file = join(codeDirectory, METADATA_FILE);
  const parsed: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (typeof parsed === "object" && parsed !== null && "name" in parsed && "version" in parsed) {
    const { name, version } = parsed;
    if (typeof name === "string" && typeof version === "string") return { name, version };
  }
  throw new Error(`${file} must hold the plugin's "name" and "version": install the plugins again`);
}
