import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../common/failure";
import { removeSalt } from "../../common/localStack";
import { pulumi, type StackCli } from "../../common/pulumi";
import { UsageFailure } from "../../common/usageFailure";
import { sourceOf } from "../../components/guards/payloadKeysGuard";
import { documentOf } from "../../settings/engineYaml";
import { PROJECT } from "../../settings/mapping";
import { parseSettings } from "../../settings/settings";
import { sourceOfStackFile } from "../../settings/stackFile";
import { sectionKey, type SettingChange, withSettings } from "../stack/stackFileEdit";
import { stackFileOf, stackNameOf, withCopies } from "../stack/workspace";
import {
  type ExportedKey,
  exportSchema,
  generatedKeys,
  type KeySettings,
  openedKeys,
  valueOf,
} from "./stackKeys";

type List = "keys" | "retiredKeys";

/** A key that goes into the stack file, and its place there. */
export interface NewEntry {
  readonly list: List;
  readonly index: number;
  readonly id: string;
  readonly value: string;
}

/** What an import would do. */
export interface ImportPlan {
  readonly entries: readonly NewEntry[];
  /** For people: keys that are not written, and keys that the export does not have. */
  readonly notes: readonly string[];
  /** Why nothing can be imported. */
  readonly problems: readonly string[];
}

/**
 * What is to be written so that the next update uses exactly the keys of an export.
 *
 * @param settings of the stack file, opened
 * @param generated keys in the stack's state
 */
export function importPlan(
  settings: KeySettings,
  generated: ReadonlyMap<string, string>,
  exported: readonly ExportedKey[],
): ImportPlan {
  const entries: NewEntry[] = [];
  const notes: string[] = [];
  const problems: string[] = [];
  const end = { keys: settings.keys.length, retiredKeys: settings.retiredKeys.length };
  const places = (["keys", "retiredKeys"] as const).flatMap((list) =>
    settings[list].map((key, index) => ({ key, list, index })),
  );
  for (const { id, value, retired } of exported) {
    const found = places.find(({ key }) => key.id === id);
    const known = (found && valueOf(found.key)) ?? generated.get(id);
    if (found?.key.existing !== undefined) {
      notes.push(`key ${id} comes from Secret ${found.key.existing.secret}: left as it is`);
    } else if (known === value) {
      notes.push(`key ${id} is there already`);
    } else if (known !== undefined) {
      problems.push(`the stack has another key under id ${id}`);
    } else if (found !== undefined) {
      entries.push({ list: found.list, index: found.index, id, value });
    } else {
      const list = retired ? "retiredKeys" : "keys";
      entries.push({ list, index: end[list]++, id, value });
    }
  }
  const lost = places.filter(
    ({ key }) =>
      sourceOf(key) === "generated" && !generated.has(key.id) && exported.every(({ id }) => id !== key.id),
  );
  return {
    entries,
    notes: [
      ...notes,
      ...lost.map(
        ({ key: { id } }) =>
          `key ${id} is neither in the export nor in the state: the next update generates it; what an earlier key of this id encrypted stays unreadable`,
      ),
    ],
    problems,
  };
}

/**
 * Writes the keys of an export into the stack file, encrypted as its other secrets are: all of them or none.
 *
 * @param folder of the project file and the stack file
 * @param text of the export, decrypted
 * @param from stack that it is of, if that is another one
 * @returns what was done, for people
 * @throws UsageFailure when it is no export, or of another stack; Failure when the stack has other keys
 */
export async function importKeys(
  cli: StackCli,
  folder: string,
  text: string,
  from = stackNameOf(cli.stack),
): Promise<string[]> {
  const exported = exportOf(text);
  if (exported.stack !== from) {
    throw new UsageFailure(
      `the export is of stack ${exported.stack}, not of ${from}`,
      `add --from ${exported.stack} if that is meant`,
    );
  }
  const settings = await openedKeys(cli, folder);
  const plan = importPlan(settings, await generatedKeys(cli, folder), exported.keys);
  if (plan.problems.length > 0) {
    throw new Failure(
      `the export does not belong to stack ${cli.stack}`,
      "nothing was changed: payloads are encrypted with the stack's own keys; give the exported ones ids of their own to add them",
      plan.problems,
    );
  }
  if (plan.entries.length > 0) await write(cli, folder, settings, plan.entries);
  const file = stackFileOf(cli.stack);
  return [
    ...plan.notes,
    plan.entries.length === 0
      ? `nothing to import: ${file} stays as it is`
      : `${file} has ${plan.entries.map(({ id }) => id).join(", ")} now, encrypted: commit it; the next update of stack ${cli.stack} uses these keys`,
  ];
}

function exportOf(text: string) {
  try {
    return exportSchema.parse(JSON.parse(text));
  } catch {
    // Its content is not shown.
    throw new UsageFailure(
      "the file is no export of payload keys that this version knows",
      "name what npm run keys -- export wrote",
    );
  }
}

/** Everything happens in a copy, which takes the file's place in the end. */
async function write(
  cli: StackCli,
  folder: string,
  settings: KeySettings,
  entries: readonly NewEntry[],
): Promise<void> {
  const name = stackFileOf(cli.stack);
  await withCopies(
    cli.stack,
    async (copies) => {
      const copy = join(copies, name);
      await writeFile(copy, withEntries(await readFile(copy, "utf8"), settings, entries), { mode: 0o600 });
      for (const { list, index, value } of entries) {
        const key = `${PROJECT}:payloadEncryption.${list}[${index}].value`;
        // The CLI takes one line break away.
        await pulumi(cli, ["config", "set", key, "--path", "--secret"], { cwd: copies, input: `${value}\n` });
      }
      const copied = { [name]: await readFile(copy, "utf8") };
      const source = sourceOfStackFile(folder, stackNameOf(cli.stack), {}, copied);
      if (source !== undefined) parseSettings(source);
      const incomplete = join(folder, `${name}.incomplete`);
      await writeFile(incomplete, await readFile(copy));
      await rename(incomplete, join(folder, name));
    },
    folder,
  );
  if (cli.local) await removeSalt(cli);
}

/** The text of a stack file with entries, but for their values: the CLI sets none inside what is a text. */
export function withEntries(text: string, settings: KeySettings, entries: readonly NewEntry[]): string {
  const document = documentOf(text, "the stack file");
  const section = sectionKey(document, "payloadEncryption");
  const changes = (["keys", "retiredKeys"] as const).flatMap((list): SettingChange[] => {
    const ours = entries.filter((entry) => entry.list === list);
    if (document.hasIn(["config", section, list])) {
      return ours.map(({ index, id }) => ({ path: ["payloadEncryption", list, String(index)], new: { id } }));
    }
    if (ours.length === 0) return [];
    const whole: unknown[] = settings[list].map(({ id }) => id);
    for (const { index, id } of ours) whole[index] = { id };
    return [{ path: ["payloadEncryption", list], new: whole }];
  });
  return withSettings(text, changes);
}
