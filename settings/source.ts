import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { encryptedPlaces } from "./encryptedPlaces";
import { type FileGroup, type GroupFiles, groupsOf, readGroupFiles } from "./groupFiles";
import { singleGroups, withGroups } from "./groupMerge";
import { isMapping, type Mapping, merge, PROJECT } from "./mapping";
import { keyOf, type SettingPath } from "./secretSettings";

/**
 * Names the file with what only this machine knows of one stack; written by `npm run up`. For every other
 * stack the committed file is the whole truth.
 */
export const OVERLAY_VARIABLE = "TEMPORAL_STACK_MACHINE_SETTINGS";

/** Where settings come from. */
export interface SettingsSource {
  readonly stack: string;
  /** Name of the stack file, for messages. */
  readonly stackFile: string;
  /** Configuration as the engine hands it over: full key to text, mappings and lists as JSON. */
  readonly config: Readonly<Record<string, string>>;
  /** Date as `2026-11-26`, for what may not last too long; the clock's by default. */
  readonly today?: string | undefined;
  /** Full keys whose values hold a secret; the engine does not say where in them. */
  readonly secretKeys: readonly string[];
  /** Places of the encrypted values, section first, as the stack file has them; absent: nobody looked. */
  readonly encrypted?: readonly SettingPath[] | undefined;
  /** Sections among {@link secretKeys}, without prefix, of which no file says where the secret is. */
  readonly unknownSecrets?: readonly string[] | undefined;
  /** The files of worker groups; none by default. */
  readonly groups?: GroupFiles | undefined;
  /** What is wrong with the stack file as a whole. */
  readonly problems?: readonly string[] | undefined;
  /** This machine's overlay: `stack` it is for, and `settings`, the sections of a stack file without prefix. */
  readonly overlay?: { readonly file: string; readonly text: string | undefined } | undefined;
}

/** Configuration as one mapping, with the parts of other files kept apart for messages. */
export interface MergedConfig {
  readonly value: Mapping;
  /** What the stack file alone says. */
  readonly stack: Mapping;
  /** Groups with a file of their own, which follow those of the stack file in `workers`. */
  readonly groups: readonly FileGroup[];
  readonly overlay: Mapping;
  /** What is wrong with a file as a whole. */
  readonly problems: readonly string[];
}

const overlaySchema = z.strictObject({ stack: z.string(), settings: z.custom<Mapping>(isMapping) });

/**
 * Stack file, files of worker groups and overlay as one mapping. Of the overlay mappings are merged, lists and scalars
 * replaced; the groups follow those of the stack file, whose `images` are laid over the groups' own.
 */
export function mergedConfig(source: SettingsSource): MergedConfig {
  const ours = Object.entries(source.config).filter(([key]) => key.startsWith(PREFIX));
  const fromStack: Mapping = Object.fromEntries(
    ours.map(([key, text]) => [key.slice(PREFIX.length), decode(text)]),
  );
  const { overlay, problems } = readOverlay(source);
  const fromFiles = source.groups === undefined ? undefined : groupsOf(source.groups, source.stack);
  const { groups, twice } = singleGroups(fromFiles?.groups ?? [], fromStack, source.stackFile);
  return {
    value: merge(withGroups(fromStack, groups), overlay),
    stack: fromStack,
    groups,
    overlay,
    problems: [
      ...problems,
      ...(fromFiles?.problems ?? []),
      ...twice,
      ...groups.flatMap(({ file, worker, image = {} }) =>
        [...hiddenKeys(worker), ...hiddenKeys(image, ["image"])].map(
          (path) => `${keyOf(path)} (${file}): ${HIDDEN}`,
        ),
      ),
      ...(source.problems ?? []),
      ...hiddenKeys(fromStack).map((path) => `${PREFIX}${keyOf(path)} (${source.stackFile}): ${HIDDEN}`),
      ...hiddenKeys(overlay).map((path) => `${keyOf(path)} (${source.overlay?.file ?? ""}): ${HIDDEN}`),
    ],
  };
}

const PREFIX = `${PROJECT}:`;
const HIDDEN = "is no key that JavaScript keeps apart from others; remove it";

/** Places of keys that could hide what is set, or set what nobody sees. */
function hiddenKeys(value: unknown, place: SettingPath = []): SettingPath[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, entry]) => {
    const path = [...place, Array.isArray(value) ? Number(key) : key];
    return key === "__proto__" ? [path] : hiddenKeys(entry, path);
  });
}

function readOverlay({ overlay, stack }: SettingsSource): { overlay: Mapping; problems: string[] } {
  if (overlay === undefined) return { overlay: {}, problems: [] };
  const unusable = `${OVERLAY_VARIABLE} names ${overlay.file}, which`;
  if (overlay.text === undefined) {
    return {
      overlay: {},
      problems: [`${unusable} cannot be read; run \`npm run up\` to write it, or unset the variable`],
    };
  }
  try {
    const { stack: owner, settings } = overlaySchema.parse(parseYaml(overlay.text));
    if (owner === stack) return { overlay: settings, problems: [] };
    return {
      overlay: {},
      problems: [
        `${unusable} is for stack "${owner}" on this machine; unset the variable, and put what "${stack}" needs into its stack file`,
      ],
    };
  } catch {
    // Reported below: the parser's own message would quote the file's content.
  }
  return {
    overlay: {},
    problems: [
      `${unusable} is not a YAML mapping of a stack's name and settings; run \`npm run up\` to write it anew`,
    ],
  };
}

function decode(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The source of the running program: the engine's configuration, and the overlay that the environment names. */
export function sourceOfThisRun(): SettingsSource {
  const stack = pulumi.getStack();
  const config = pulumi.runtime.allConfig();
  const secretKeys = Object.keys(config).filter(isSecretKey);
  const file = process.env[OVERLAY_VARIABLE];
  return {
    stack,
    stackFile: `Pulumi.${stack}.yaml`,
    config,
    secretKeys,
    ...encryptedPlaces({ stack, config, secretKeys }),
    groups: readGroupFiles(pulumi.getRootDirectory()),
    overlay: file === undefined || file === "" ? undefined : { file, text: readText(file) },
  };
}

/** The date of a time, in UTC. */
export function dateOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** The SDK exports this function without declaring it. Should it go away, every value counts as secret. */
function isSecretKey(key: string): boolean {
  const known: unknown = Reflect.get(pulumi.runtime, "isConfigSecret");
  return typeof known !== "function" || Reflect.apply(known, undefined, [key]) === true;
}
