import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { placeholderAt } from "./secretPaths";
import { isMapping, type Mapping, PROJECT } from "./mapping";
import { type SettingsSource } from "./source";

/**
 * The settings that a stack file of the checkout says, read without the engine: secrets in it are unknown, and
 * stand as secrets that nobody can use.
 * @param changes sections that are laid over the file's, without prefix; undefined takes a section away
 * @returns what parseSettings takes; undefined if there is no such file
 */
export function sourceOfStackFile(
  checkout: string,
  stack: string,
  changes: Mapping = {},
): SettingsSource | undefined {
  const stackFile = `Pulumi.${stack}.yaml`;
  const path = join(checkout, stackFile);
  if (!existsSync(path)) return undefined;
  const file: unknown = parse(readFileSync(path, "utf8"));
  const written = isMapping(file) && isMapping(file["config"]) ? file["config"] : {};
  const changed = Object.entries(changes).map(([section, value]) => [`${PROJECT}:${section}`, value]);
  const sections = Object.entries({ ...written, ...Object.fromEntries(changed) } as Mapping);
  const secretKeys: string[] = [];
  const config: Record<string, string> = {};
  for (const [key, value] of sections) {
    if (value === undefined) continue;
    const plain = withoutSecrets(value, [key.slice(PROJECT.length + 1)], () => secretKeys.push(key));
    config[key] = typeof plain === "string" ? plain : JSON.stringify(plain);
  }
  return { stack, stackFile, config, secretKeys };
}

/** The CLI writes a secret as a mapping with the one key `secure`. */
function withoutSecrets(value: unknown, path: readonly string[], onSecret: () => void): unknown {
  if (Array.isArray(value)) {
    return value.map((entry, index) => withoutSecrets(entry, [...path, String(index)], onSecret));
  }
  if (!isMapping(value)) return value;
  if (Object.keys(value).length === 1 && typeof value["secure"] === "string") {
    onSecret();
    return placeholderAt(path);
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, withoutSecrets(entry, [...path, key], onSecret)]),
  );
}
