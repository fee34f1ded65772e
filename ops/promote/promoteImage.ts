import { existsSync } from "node:fs";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { createTwoFilesPatch } from "diff";
import { execa } from "execa";
import { z } from "zod";
import { Failure } from "../../common/failure";
import { changeProblems, deployedRecord } from "../../components/guards/record";
import { quarantineOutput, quarantineProblem } from "../../components/guards/quarantineGuard";
import { refusal } from "../../components/guards/sentence";
import { parseSettings, type Settings } from "../../settings/settings";
import { sourceOfStackFile } from "../../settings/stackFile";
import { imagesOf } from "../../settings/stackImages";
import { cliOf, pulumiJson } from "../../common/pulumi";
import { withSettings } from "../stack/stackFileEdit";
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
  /** Whether the file stays as it is. */
  readonly dryRun: boolean;
}

/** What a promotion did. */
export interface PromoteResult {
  /** The change of the stack file as a unified diff; empty if there is nothing to promote. */
  readonly diff: string;
  readonly notes: readonly string[];
}

/**
 * Writes what one stack runs, or what one of its worker groups is to run, into the file of a stack, for review.
 *
 * @throws RefusedPromotion when a guard would refuse it; Failure when the file has changes that are not committed,
 * or the settings would be wrong. Nothing is written then.
 */
export async function promote({ what, to, folder, dryRun }: PromoteOptions): Promise<PromoteResult> {
  if ("from" in what && what.from === to) {
    throw new Failure("both stacks are the same", "name two: --from dev --to prod");
  }
  const file = join(folder, `Pulumi.${to}.yaml`);
  if (!existsSync(file)) throw new Failure(`there is no ${basename(file)}`, "name a stack that has a file");
  await requireCommitted(file);

  const text = await readFile(file, "utf8");
  const settings = await settingsOf(to, text);
  const { promotions, notes } =
    "from" in what ? promotionsOf(await runningOf(what.from), settings) : groupPromotion(what, settings);
  if (promotions.length === 0) return { diff: "", notes: [] };

  const next = withSettings(text, promotions);
  const unchecked = await requireAllowed(to, await settingsOf(to, next));
  const name = basename(file);
  if (!dryRun) await replaceFile(file, next);
  return { diff: createTwoFilesPatch(`a/${name}`, `b/${name}`, text, next), notes: [...notes, ...unchecked] };
}

const runningOf = async (stack: string): Promise<RunningVersions> =>
  runningVersions(stack, await pulumiJson(cliOf(stack), ["stack", "export"]));

/** What nobody has committed would be mixed up with the promotion. */
async function requireCommitted(file: string): Promise<void> {
  const args = ["status", "--porcelain", "--", basename(file)];
  const { failed, stdout } = await execa("git", args, { cwd: dirname(file), reject: false });
  if (failed) {
    throw new Failure(
      `Git cannot tell whether ${basename(file)} has changes`,
      "run the command in a clone of the repository: a promotion is a change to be reviewed",
    );
  }
  if (stdout.trim() !== "") {
    throw new Failure(
      `${basename(file)} has changes that are not committed`,
      "commit them, or take them back, and run the command again: a promotion is a change of its own",
      stdout.split("\n"),
    );
  }
}

/** The settings that a text of a stack file says. */
export async function settingsOf(stack: string, text: string): Promise<Settings> {
  const folder = await mkdtemp(join(tmpdir(), "temporal-stack-promote-"));
  try {
    await writeFile(join(folder, `Pulumi.${stack}.yaml`), text);
    const source = sourceOfStackFile(folder, stack);
    if (source === undefined) throw new Error("the file was written");
    return parseSettings(source);
  } catch (error) {
    if (!pulumi.RunError.isInstance(error)) throw error;
    throw new Failure(
      `the settings of stack "${stack}" do not go together`,
      `correct Pulumi.${stack}.yaml, commit it and run the command again; the file is as it was`,
      error.message.split("\n"),
    );
  } finally {
    await rm(folder, { recursive: true });
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

/** The file is the old one or the new one, at any time. */
async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, text);
  await rename(temporary, file);
}
