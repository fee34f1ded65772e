import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import type { Quarantined } from "../../components/guards/quarantine";
import { isMapping, PROJECT } from "../../components/settings/mapping";
import type { UpdateConfig } from "../history/updates";
import { askPulumi, type Workspace } from "../stack/workspace";

const IMAGE = `${PROJECT}:workerImage`;
const QUARANTINE = `${PROJECT}:quarantine`;

/** Configuration as a stack file has it, secrets apart. */
export interface RestoredConfig {
  readonly plain: Readonly<Record<string, unknown>>;
  /** Texts by key that must be encrypted before they are written. */
  readonly secret: Readonly<Record<string, string>>;
}

/**
 * The configuration of an update, with its worker image by digest, and with what goes into quarantine. A section
 * that holds any secret becomes one secret text as a whole: the history does not say which parts are secret, and
 * the program reads both forms alike.
 *
 * @param digest worker image that is to run
 */
export function restoredConfig(
  config: UpdateConfig,
  digest: string,
  quarantine: readonly Quarantined[],
): RestoredConfig {
  const plain: Record<string, unknown> = {};
  const secret: Record<string, string> = {};
  for (const [key, { value, objectValue, secret: isSecret }] of Object.entries(config)) {
    if (key === QUARANTINE || value === undefined) continue;
    const restored = key === IMAGE ? { ...mappingOf(value), digest } : (objectValue ?? value);
    if (!isSecret) plain[key] = restored;
    else secret[key] = key === IMAGE ? JSON.stringify(restored) : value;
  }
  if (!(IMAGE in plain) && !(IMAGE in secret)) plain[IMAGE] = { digest };
  if (quarantine.length > 0) {
    const add = quarantine.map(({ sources, ...entry }) => ({
      ...entry,
      ...(sources === null ? {} : { sources }),
    }));
    plain[QUARANTINE] = { add };
  }
  return { plain, secret };
}

function mappingOf(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  return isMapping(value) ? value : {};
}

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
  const written = existsSync(own) ? stackFileSchema.parse(parse(await readFile(own, "utf8")) ?? {}) : {};
  const file = join(folder, "restored.yaml");
  // In quotes, or the CLI would take times and the like for something else than text.
  const text = stringify(
    { ...written, config: plain },
    { defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" },
  );
  await writeFile(file, text, { mode: 0o600 });
  for (const [key, value] of Object.entries(secret)) {
    // The CLI takes one line break away.
    await askPulumi(workspace, ["config", "set", key, "--secret", "--config-file", file], `${value}\n`);
  }
  return file;
}
