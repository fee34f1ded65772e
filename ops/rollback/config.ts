import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import type { Quarantined } from "../../components/guards/quarantineGuard";
import { parseAsEngine } from "../../settings/engineYaml";
import { isMapping, type Mapping, PROJECT } from "../../settings/mapping";
import { settingsSchema } from "../../settings/settings";
import { WORKER_IMAGE } from "../../settings/stackImages";
import { keyOf, placesOf, secretPathsOf, type SettingPath } from "../../settings/secretSettings";
import type { UpdateConfig } from "../history/updates";
import { askPulumi, type Workspace } from "../stack/workspace";

const WORKER_IMAGE_KEY = `${PROJECT}:workerImage`;
const IMAGES_KEY = `${PROJECT}:images`;
const QUARANTINE = `${PROJECT}:quarantine`;

/** Configuration as a stack file has it, secrets apart. */
export interface RestoredConfig {
  readonly plain: Readonly<Record<string, unknown>>;
  /** Texts by key, with a path into the section perhaps, that must be encrypted before they are written. */
  readonly secret: Readonly<Record<string, string>>;
}

/**
 * The configuration of an update, with its worker images by digest, and with what goes into quarantine. The history
 * says in which sections there is a secret, not where: it is in the secret settings, as the program takes it nowhere
 * else. A section without any is of an older program; it becomes one secret text, which that program reads alike.
 *
 * @param digests worker images that are to run, by name
 * @param groupImages images that files of worker groups describe, by name
 */
export function restoredConfig(
  config: UpdateConfig,
  digests: Readonly<Record<string, string>>,
  quarantine: readonly Quarantined[],
  groupImages: readonly string[] = [],
): RestoredConfig {
  const plain: Record<string, unknown> = {};
  const secret: Record<string, string> = {};
  for (const [key, { value, objectValue, secret: isSecret }] of Object.entries(config)) {
    if (key === QUARANTINE || value === undefined) continue;
    const pinned = pinnedSection(key, value, digests);
    const restored = pinned ?? objectValue ?? value;
    const section = key.slice(PROJECT.length + 1);
    const places = isSecret ? secretPlaces(section, restored) : [];
    if (isSecret && places.length === 0) {
      secret[key] = pinned === undefined ? value : JSON.stringify(pinned);
      continue;
    }
    const [opened, texts] = takeOut(restored, places);
    plain[key] = opened;
    for (const [place, text] of texts) secret[`${PROJECT}:${keyOf([section, ...place])}`] = text;
  }
  const ofFiles = imagesOfFiles(config, digests, groupImages);
  if (ofFiles !== undefined) plain[IMAGES_KEY] = { ...asMapping(plain[IMAGES_KEY]), ...ofFiles };
  const { [WORKER_IMAGE]: digest } = digests;
  if (!(WORKER_IMAGE_KEY in plain) && !(WORKER_IMAGE_KEY in secret)) plain[WORKER_IMAGE_KEY] = { digest };
  if (quarantine.length > 0) {
    const add = quarantine.map(({ sources, ...entry }) => ({
      ...entry,
      ...(sources === null ? {} : { sources }),
    }));
    plain[QUARANTINE] = { add };
  }
  return { plain, secret };
}

/**
 * Images that no section describes, but the file of a worker group, over which `images` is laid.
 * @returns undefined if there are none
 */
function imagesOfFiles(
  config: UpdateConfig,
  digests: Readonly<Record<string, string>>,
  names: readonly string[],
): Mapping | undefined {
  const described = mappingOf(config[IMAGES_KEY]?.value ?? "{}");
  const others = names.filter((name) => !(name in described) && digests[name] !== undefined);
  return others.length === 0
    ? undefined
    : Object.fromEntries(others.map((name) => [name, { digest: digests[name] }]));
}

/** A section that describes images, each with its digest; undefined for every other section. */
function pinnedSection(
  key: string,
  value: string,
  digests: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> | undefined {
  const pinned = (image: unknown, name: string) =>
    isMapping(image) && digests[name] !== undefined ? { ...image, digest: digests[name] } : image;
  if (key === WORKER_IMAGE_KEY) return { ...mappingOf(value), digest: digests[WORKER_IMAGE] };
  if (key !== IMAGES_KEY) return undefined;
  return Object.fromEntries(Object.entries(mappingOf(value)).map(([name, own]) => [name, pinned(own, name)]));
}

/** Places inside a section at which it has a secret. */
function secretPlaces(section: string, value: unknown): SettingPath[] {
  return secretPathsOf(settingsSchema)
    .flatMap((path) => placesOf(path, { [section]: value }))
    .map(([, ...place]) => place);
}

/** A value without what is at some places in it, and the texts from there. */
function takeOut(
  value: unknown,
  places: readonly SettingPath[],
): [unknown, (readonly [SettingPath, string])[]] {
  const rest: unknown = structuredClone(value);
  const texts = places.map((place) => {
    const parent = place.slice(0, -1).reduce(childOf, rest);
    const last = place.at(-1) ?? "";
    const text = String(childOf(parent, last));
    if (isMapping(parent)) Reflect.deleteProperty(parent, last);
    return [place, text] as const;
  });
  return [rest, texts];
}

const childOf = (value: unknown, part: PropertyKey): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, part) : undefined;

const asMapping = (value: unknown): Mapping => (isMapping(value) ? value : {});

const mappingOf = (text: string): Mapping => asMapping(JSON.parse(text));

const stackFileSchema = z.record(z.string(), z.unknown());

/**
 * Writes a stack file into the workspace, its secrets encrypted as those of the stack are now. They go from this
 * process to the CLI and nowhere else.
 *
 * @returns the file's path
 */
export async function writeConfig(workspace: Workspace, { plain, secret }: RestoredConfig): Promise<string> {
  const { folder, stackFile } = workspace;
  const own = join(folder, stackFile);
  // How the stack's secrets are encrypted stands beside its configuration, unless the state keeps it.
  const written = existsSync(own)
    ? stackFileSchema.parse(parseAsEngine(await readFile(own, "utf8"), stackFile) ?? {})
    : {};
  const file = join(folder, "restored.yaml");
  // In quotes, or the CLI would take times and the like for something else than text.
  const text = stringify(
    { ...written, config: plain },
    { defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" },
  );
  await writeFile(file, text, { mode: 0o600 });
  for (const [key, value] of Object.entries(secret)) {
    // The CLI takes one line break away.
    const args = ["config", "set", key, "--path", "--secret", "--config-file", file];
    await askPulumi(workspace, args, `${value}\n`);
  }
  return file;
}
