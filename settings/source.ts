import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { encryptedPlaces } from "./encryptedPlaces";
import { type Mapping, merge, PROJECT } from "./mapping";
import type { SettingPath } from "./secretSettings";

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
  /** This machine's overlay: `stack` it is for, and `settings`, the sections of a stack file without prefix. */
  readonly overlay?: { readonly file: string; readonly text: string | undefined } | undefined;
}

/** Configuration as one mapping, with the overlay's part kept apart for messages. */
export interface MergedConfig {
  readonly value: Mapping;
  readonly overlay: Mapping;
  /** What is wrong with the overlay as a whole. */
  readonly problems: readonly string[];
}

const overlaySchema = z.strictObject({ stack: z.string(), settings: z.record(z.string(), z.unknown()) });

/** Stack file and overlay as one mapping: mappings are merged, lists and scalars replaced. */
export function mergedConfig(source: SettingsSource): MergedConfig {
  const fromStack: Record<string, unknown> = {};
  for (const [key, text] of Object.entries(source.config)) {
    if (key.startsWith(`${PROJECT}:`)) fromStack[key.slice(PROJECT.length + 1)] = decode(text);
  }
  const { overlay, problems } = readOverlay(source);
  return { value: merge(fromStack, overlay), overlay, problems };
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
