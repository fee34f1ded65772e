import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { asEngineText, configOf, isEncrypted, parseAsEngine } from "./engineYaml";
import { isMapping, type Mapping, PROJECT } from "./mapping";
import type { SettingPath } from "./secretSettings";

/** The CLI's option `--config-file` as an environment variable, in which form the program learns of it, too. */
export const CONFIG_FILE_VARIABLE = "PULUMI_OPTION_CONFIG_FILE";

interface Deployed {
  readonly stack: string;
  readonly config: Readonly<Record<string, string>>;
  readonly secretKeys: readonly string[];
}

/**
 * Where the encrypted values of this run are. The engine tells only in which sections; the stack file tells the rest,
 * if it is the one that the engine read: everything in it but the encrypted values is compared.
 */
export function encryptedPlaces({ stack, config, secretKeys }: Deployed): {
  encrypted: SettingPath[];
  unknownSecrets: string[];
} {
  const encrypted: SettingPath[] = [];
  const unknownSecrets: string[] = [];
  const ours = secretKeys.filter((key) => key.startsWith(`${PROJECT}:`));
  const file = ours.length === 0 ? {} : readConfig(stackFileOf(stack));
  for (const key of ours) {
    const section = key.slice(PROJECT.length + 1);
    if (isSource(file[key], config[key] ?? "")) encrypted.push(...placesIn(file[key], [section]));
    else unknownSecrets.push(section);
  }
  return { encrypted, unknownSecrets };
}

/** Path at which the stack file is, as the CLI looks for it; a relative one counts from the folder of the project. */
function stackFileOf(stack: string): string {
  const root = pulumi.getRootDirectory();
  const named = process.env[CONFIG_FILE_VARIABLE] ?? "";
  if (named !== "") return resolve(root, named);
  const project = read(join(root, "Pulumi.yaml"), (text) => parseAsEngine(text, "Pulumi.yaml"));
  const folder = isMapping(project) ? project["stackConfigDir"] : undefined;
  return join(root, typeof folder === "string" ? folder : "", `Pulumi.${stack}.yaml`);
}

const readConfig = (file: string): Mapping => read(file, (text) => configOf(text, PROJECT, file)) ?? {};

function read<T>(file: string, parse: (text: string) => T): T | undefined {
  try {
    return parse(readFileSync(file, "utf8"));
  } catch {
    // What the engine could not read either, or has read elsewhere: the secrets' places stay unknown.
    return undefined;
  }
}

/** Whether the engine's text can come from what is written in a file. */
function isSource(written: unknown, text: string): boolean {
  if (written === undefined) return false;
  if (isEncrypted(written)) return true;
  if (typeof written !== "object" || written === null) return asEngineText(written) === text;
  try {
    return equals(written, JSON.parse(text));
  } catch {
    return false;
  }
}

function equals(written: unknown, given: unknown): boolean {
  if (isEncrypted(written)) return typeof given === "string";
  if (Array.isArray(written)) {
    return (
      Array.isArray(given) &&
      given.length === written.length &&
      written.every((entry, index) => equals(entry, given[index]))
    );
  }
  if (!isMapping(written)) return written === given;
  if (!isMapping(given)) return false;
  const keys = Object.keys(written);
  return (
    keys.length === Object.keys(given).length &&
    keys.every((key) => Object.hasOwn(given, key) && equals(written[key], given[key]))
  );
}

/** Places of the encrypted values in what a stack file says. */
export function placesIn(written: unknown, place: SettingPath): SettingPath[] {
  if (isEncrypted(written)) return [place];
  if (Array.isArray(written)) return written.flatMap((entry, index) => placesIn(entry, [...place, index]));
  if (!isMapping(written)) return [];
  return Object.entries(written).flatMap(([key, entry]) => placesIn(entry, [...place, key]));
}
