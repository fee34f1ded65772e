import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { plugins, tools } from "../settings/versions";
import { install } from "../toolchain/download";
import { type OfficialDownload, pluginDownload, programs } from "../toolchain/programs";

/** Where the CLI keeps itself and its plugins. */
export const pulumiHome = (env: NodeJS.ProcessEnv = process.env): string =>
  env["PULUMI_HOME"] ?? join(homedir(), ".pulumi");

/** Folder of the CLI itself. */
export const programFolder = (home: string): string => join(home, "versions", tools.pulumi, "bin");

/**
 * Installs the Pulumi CLI and the plugins of this project, each checked against its published checksum, where
 * `npx pulumi` and the engine look before they download them unchecked.
 *
 * @param home folder of the CLI
 * @returns what was installed; what is there already is left alone
 * @throws Failure when a file cannot be fetched, or is not what was published
 */
export async function installPulumi(home: string): Promise<string[]> {
  const { official } = programs.pulumi;
  const folders: (readonly [folder: string, download: OfficialDownload])[] = [
    ...(official === undefined ? [] : [[programFolder(home), official] as const]),
    ...Object.entries(plugins).map(
      ([name, version]) =>
        [join(home, "plugins", `resource-${name}-v${version}`), pluginDownload(name, version)] as const,
    ),
  ];
  const missing = folders.filter(([folder]) => !existsSync(folder));
  for (const [folder, download] of missing) await install(download, folder);
  return missing.map(([folder]) => folder);
}
