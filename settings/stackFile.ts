import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { placesIn } from "./encryptedPlaces";
import { asEngineText, configOf, unopened } from "./engineYaml";
import { readGroupFiles } from "./groupFiles";
import { type Mapping, PROJECT } from "./mapping";
import { type SettingsSource } from "./source";

/**
 * The settings that a stack file of the checkout says, read as the engine reads them but without its key: encrypted
 * values are unknown, and stand as secrets that nobody can use.
 * @param changes sections that are laid over the file's, without prefix; undefined takes a section away
 * @param edited texts by name of file, instead of those that are written
 * @returns what parseSettings takes; undefined if there is no such file
 * @throws RunError on YAML that the engine does not read: file, line and key, and no value
 */
export function sourceOfStackFile(
  checkout: string,
  stack: string,
  changes: Mapping = {},
  edited: Readonly<Record<string, string>> = {},
): SettingsSource | undefined {
  const stackFile = `Pulumi.${stack}.yaml`;
  const path = join(checkout, stackFile);
  if (!existsSync(path)) return undefined;
  const changed: Mapping = Object.fromEntries(
    Object.entries(changes).map(([section, value]) => [`${PROJECT}:${section}`, value]),
  );
  const written: Mapping = {
    ...configOf(edited[stackFile] ?? readFileSync(path, "utf8"), PROJECT, stackFile),
    ...changed,
  };
  const sections = Object.entries(written).filter(([, value]) => value !== undefined);
  const ours = sections.filter(([key]) => key.startsWith(`${PROJECT}:`));
  const config = Object.fromEntries(sections.map(([key, value]) => [key, asEngineText(unopened(value))]));
  return {
    stack,
    stackFile,
    config,
    groups: readGroupFiles(checkout, edited),
    problems: sizeProblems(stackFile, config),
    secretKeys: sections.filter(([key, value]) => placesIn(value, [key]).length > 0).map(([key]) => key),
    encrypted: ours.flatMap(([key, value]) => placesIn(value, [key.slice(PROJECT.length + 1)])),
  };
}

/** Linux takes 128 KiB for one variable of a program's environment (MAX_ARG_STRLEN), with name and encoding. */
const MAX_CONFIG_BYTES = 120 * 1024;

/**
 * What does not fit is refused by the kernel before the program starts, with `spawn E2BIG`, so that only those who read
 * the stack file without the engine can say it.
 */
function sizeProblems(stackFile: string, config: Readonly<Record<string, string>>): string[] {
  const bytes = Buffer.byteLength(JSON.stringify(config));
  if (bytes <= MAX_CONFIG_BYTES) return [];
  const [largest = "", text = ""] =
    Object.entries(config).sort(([, a], [, b]) => b.length - a.length)[0] ?? [];
  return [
    `${stackFile}: the settings take ${kib(bytes)} KiB, ${kib(Buffer.byteLength(text))} KiB of them in ${largest}; all together they may take ${kib(MAX_CONFIG_BYTES)} KiB, as they travel in one environment variable; keep certificates in a Secret or ConfigMap and name it (caFrom)`,
  ];
}

const kib = (bytes: number): number => Math.ceil(bytes / 1024);
