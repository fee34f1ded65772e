import { Command } from "commander";
import { execa } from "execa";
import { Failure, lastLines } from "../common/failure";
import { runCommand } from "../common/command";
import { affectedStacks, stacksAmong } from "./affectedStacks";
import { isGroupFile, stacksOfGroupFile } from "../settings/groupFiles";
import { addSummary, lacksSecrets, setOutput, warn } from "./runner";

interface Options {
  readonly base: string;
  readonly head: string;
  readonly guarded: readonly string[];
}

const command = new Command("npm run ci:changed-stacks --")
  .description(
    "Names the stacks that a change may touch, as step outputs: `open` and `guarded`, JSON arrays. " +
      "Both are empty in a run of Dependabot, which has no secrets to preview them with.",
  )
  .requiredOption("--base <commit>", "what the change is compared with, from where both have parted")
  .option("--head <commit>", "the change", "HEAD")
  .option("--guarded <stack...>", "stacks whose preview somebody has to approve", ["prod"]);

runCommand(command, main);

async function main({ base, head, guarded }: Options): Promise<void> {
  const changed = lines(await git("diff", "--name-only", "--no-renames", "-z", `${base}...${head}`));
  const files = lines(await git("ls-tree", "--name-only", "-z", head));
  const groups = await groupStacks(changed.filter(isGroupFile), [base, head]);
  const affected = withoutUnreadable(affectedStacks(changed, stacksAmong(files), groups));
  const isGuarded = (stack: string) => guarded.includes(stack);
  setOutput("open", JSON.stringify(affected.filter((stack) => !isGuarded(stack))));
  setOutput("guarded", JSON.stringify(affected.filter(isGuarded)));
}

/** A robot without secrets cannot preview: its pull request says so, and is not red for ever. */
function withoutUnreadable(stacks: string[]): string[] {
  if (!lacksSecrets() || stacks.length === 0) return stacks;
  const text = `NOT PREVIEWED: ${stacks.join(", ")}. GitHub gives no secrets to runs of Dependabot; once somebody who has read the change pushes a commit to its branch, they are previewed.`;
  warn(text);
  addSummary(text);
  return [];
}

/** The stacks that files of worker groups name in any of the commits; undefined where one of them cannot be read. */
async function groupStacks(
  files: readonly string[],
  commits: readonly string[],
): Promise<Record<string, readonly string[] | undefined>> {
  const named = files.map(async (file) => {
    const stacks = await Promise.all(
      commits.map(async (commit) => {
        // A file that was added or removed is in one of them only.
        const there = await git("ls-tree", "--name-only", "-z", commit, "--", file);
        return there === "" ? [] : stacksOfGroupFile(await git("show", `${commit}:${file}`));
      }),
    );
    const known = stacks.flatMap((names) => (names === undefined ? [] : [names]));
    return [file, known.length < commits.length ? undefined : known.flat()] as const;
  });
  return Object.fromEntries(await Promise.all(named));
}

function lines(text: string): string[] {
  return text.split("\0").filter((line) => line !== "");
}

async function git(...args: string[]): Promise<string> {
  const { failed, stdout, stderr } = await execa("git", args, { reject: false });
  if (!failed) return stdout;
  throw new Failure(
    `git ${args[0] ?? ""} failed: which stacks the change touches is not known`,
    "name commits that this clone has; a shallow clone has but one: check out with fetch-depth 0",
    lastLines(stderr),
  );
}
