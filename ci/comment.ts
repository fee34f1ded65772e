import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { Failure } from "../common/failure";
import { runCommand } from "../common/command";
import { commentBody, MARKER, outcomeSchema, type StackPreview } from "./commentBody";
import { GitHub } from "./github";

interface Options {
  readonly pullRequest: number;
  readonly commit: string;
  readonly reports: string;
  readonly stacks: string[];
  readonly pending: string[];
}

const command = new Command("npm run ci:comment --")
  .description("Writes the previews of a pull request's stacks as its one comment, in place of the last one.")
  .requiredOption("--pull-request <number>", "the pull request", pullRequestNumber)
  .requiredOption("--commit <id>", "what was previewed")
  .requiredOption("--reports <folder>", "what npm run ci:preview wrote")
  .requiredOption(
    "--stacks <json>",
    "the stacks that were previewed, a JSON array; may be repeated",
    moreNames,
  )
  .option("--pending <json>", "the stacks that wait for an approval, a JSON array", stackNames, []);

/** What the code of a pull request writes may be anything. */
const LARGEST_REPORT = 5_000_000;

runCommand(command, main);

function pullRequestNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a number.");
}

function stackNames(text: string): string[] {
  const names = z.array(z.string().regex(/^[\w-]+$/)).safeParse(parseJson(text));
  if (names.success) return names.data;
  throw new InvalidArgumentError('Expected a JSON array of names, such as ["dev"].');
}

function moreNames(text: string, before: readonly string[] = []): string[] {
  return [...before, ...stackNames(text)];
}

async function main({ pullRequest, commit, reports, stacks, pending }: Options): Promise<void> {
  const previews = [
    ...stacks.map((stack) => previewOf(reports, stack)),
    ...pending.map((stack) => ({ stack, pending: true })),
  ];
  const {
    GITHUB_SERVER_URL = "https://github.com",
    GITHUB_REPOSITORY = "",
    GITHUB_RUN_ID = "",
  } = process.env;
  const runUrl = `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`;
  const body = commentBody({ commit, runUrl, previews });
  const create = previews.length > 0;
  console.log(`comment ${await GitHub.fromEnvironment().putComment(pullRequest, MARKER, body, { create })}`);
}

function previewOf(folder: string, stack: string): StackPreview {
  const outcome = outcomeSchema.safeParse(parseJson(contentOf(join(folder, `${stack}.json`)) ?? ""));
  return {
    stack,
    exitCode: outcome.success ? outcome.data.exitCode : undefined,
    report: contentOf(join(folder, `${stack}.md`)),
  };
}

function contentOf(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  const { size } = statSync(file);
  if (size > LARGEST_REPORT) throw new Failure(`${file} has ${size} bytes`, "see what wrote it");
  return readFileSync(file, "utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
