import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { createTwoFilesPatch } from "diff";
import { execa } from "execa";
import { z } from "zod";
import { Failure } from "../../common/failure";
import { changeProblems, deployedRecord } from "../../components/guards/record";
import { quarantineOutput, quarantineProblem } from "../../components/guards/quarantineGuard";
import { refusal } from "../../components/guards/sentence";
import { parseSettings, type Settings } from "../../settings/settings";
import type { SettingsSource } from "../../settings/source";
import { sourceOfStackFile } from "../../settings/stackFile";
import { imagesOf } from "../../settings/stackImages";
import { cliOf, pulumiJson } from "../../common/pulumi";
import { withSettingsOfAll } from "../stack/stackFileEdit";
import { type GroupImage, groupPromotion } from "./groupImage";
import { promotionsOf } from "./promotion";
import { type RunningVersions, runningVersions } from "./running";

/** A guard would refuse what a promotion writes. */
export class RefusedPromotion extends Failure {}

export interface PromoteOptions {
  /** What is promoted: all that another stack runs, or the image of one worker group. */
  readonly what: { readonly from: string } | GroupImage;
  /** Stack whose file is written. */
  readonly to: string;
  /** Folder of the stack files. */
  readonly folder: string;
  /** Whether the files stay as they are. */
  readonly dryRun: boolean;
}

/** What a promotion did. */
export interface PromoteResult {
  /** The changes as unified diffs; empty if there is nothing to promote. */
  readonly diff: string;
  /** Files that are changed: the stack's, or those of worker groups. */
  readonly files: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Writes what one stack runs, or what one of its worker groups is to run, into the file of a stack, for review.
 *
 * @throws RefusedPromotion when a guard would refuse it; Failure when a file has changes that are not committed,
 * or the settings would be wrong. Nothing is written then.
 */
export async function promote({ what, to, folder, dryRun }: PromoteOptions): Promise<PromoteResult> {
  if ("from" in what && what.from === to) {
    throw new Failure("both stacks are the same", "name two: --from dev --to prod");
  }
  const name = `Pulumi.${to}.yaml`;
  if (!existsSync(join(folder, name)))
    throw new Failure(`there is no ${name}`, "name a stack that has a file");
  const source = sourceIn(folder, to);
  const texts = {
    [name]: await readFile(join(folder, name), "utf8"),
    ...Object.fromEntries((source.groups?.files ?? []).map(({ file, text }) => [file, text])),
  };
  await requireCommitted(folder, Object.keys(texts));

  const settings = settingsIn(folder, to);
  const { promotions, notes } =
    "from" in what ? promotionsOf(await runningOf(what.from), settings) : groupPromotion(what, settings);
  if (promotions.length === 0) return { diff: "", files: [], notes: [] };

  const edited = withSettingsOfAll(source, texts, promotions);
  const unchecked = await requireAllowed(to, settingsIn(folder, to, edited));
  if (!dryRun) await replaceFiles(folder, edited);
  const diffs = Object.entries(edited).map(([file, text]) =>
    createTwoFilesPatch(`a/${file}`, `b/${file}`, texts[file] ?? "", text),
  );
  return { diff: diffs.join(""), files: Object.keys(edited), notes: [...notes, ...unchecked] };
}

const runningOf = async (stack: string): Promise<RunningVersions> =>
  runningVersions(stack, await pulumiJson(cliOf(stack), ["stack", "export"]));

/** What nobody has committed would be mixed up with the promotion. */
async function requireCommitted(folder: string, files: readonly string[]): Promise<void> {
  const args = ["status", "--porcelain", "--", ...files];
  const { failed, stdout } = await execa("git", args, { cwd: folder, reject: false });
  const [stackFile = ""] = files;
  if (failed) {
    throw new Failure(
      `Git cannot tell whether ${stackFile} has changes`,
      "run the command in a clone of the repository: a promotion is a change to be reviewed",
    );
  }
  const changed = stdout.split("\n").filter((line) => line.trim() !== "");
  if (changed.length > 0) {
    const names = changed.map((line) => line.slice(3));
    throw new Failure(
      `${names.join(", ")} ${names.length === 1 ? "has" : "have"} changes that are not committed`,
      "commit them, or take them back, and run the command again: a promotion is a change of its own",
      changed,
    );
  }
}

function sourceIn(
  folder: string,
  stack: string,
  edited: Readonly<Record<string, string>> = {},
): SettingsSource {
  const source = sourceOfStackFile(folder, stack, {}, edited);
  if (source === undefined) throw new Error("the file was read");
  return source;
}

/**
 * The settings that the files of a stack say.
 *
 * @param edited texts by name of file, instead of those that are written
 */
export function settingsIn(
  folder: string,
  stack: string,
  edited: Readonly<Record<string, string>> = {},
): Settings {
  try {
    return parseSettings(sourceIn(folder, stack, edited));
  } catch (error) {
    if (!pulumi.RunError.isInstance(error)) throw error;
    throw new Failure(
      `the settings of stack "${stack}" do not go together`,
      `correct what is named above, commit it and run the command again; the files are as they were`,
      error.message.split("\n"),
    );
  }
}

/**
 * Compares the settings with what the target runs.
 *
 * @returns what could not be checked; the guards look again at the next preview
 */
async function requireAllowed(stack: string, settings: Settings): Promise<string[]> {
  let outputs: unknown;
  try {
    outputs = await pulumiJson(cliOf(stack), ["stack", "output"]);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [
      `what stack "${stack}" runs could not be read (${error.message}): its guards speak at the preview`,
    ];
  }
  const problems = problemsOf(outputs, settings);
  const message = refusal(problems);
  if (message === undefined) return [];
  throw new RefusedPromotion(
    `stack "${stack}" cannot take over what is promoted`,
    "resolve the problems above first; nothing was written",
    message.split("\n"),
  );
}

const outputsSchema = z.object({ deployed: deployedRecord, quarantine: quarantineOutput }).partial();

/** Why the guards of a stack would refuse settings. */
export function problemsOf(outputs: unknown, settings: Settings): string[] {
  const { deployed, quarantine = [] } = outputsSchema.safeParse(outputs).data ?? {};
  return [
    ...(deployed === undefined ? [] : changeProblems(deployed, settings)),
    ...imagesOf(settings).flatMap(
      ({ digest }) => quarantineProblem(quarantine, { digest }, settings.stack) ?? [],
    ),
  ];
}

/** Each file is the old one or the new one, at any time. */
async function replaceFiles(folder: string, texts: Readonly<Record<string, string>>): Promise<void> {
  const files = Object.entries(texts).map(([name, text]) => ({ file: join(folder, name), text }));
  const temporary = (file: string): string => `${file}.${process.pid}.tmp`;
  for (const { file, text } of files) await writeFile(temporary(file), text);
  for (const { file } of files) await rename(temporary(file), file);
}
