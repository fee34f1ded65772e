import { Command } from "commander";
import { execa } from "execa";
import { Failure, lastLines } from "../common/failure";
import { runCommand } from "../common/command";
import { affectedStacks, stacksAmong } from "./affectedStacks";
import { setOutput } from "./runner";

interface Options {
  readonly base: string;
  readonly head: string;
  readonly guarded: readonly string[];
}

const command = new Command("npm run ci:changed-stacks --")
  .description(
    "Names the stacks that a change may touch, as step outputs: `open` and `guarded`, JSON arrays.",
  )
  .requiredOption("--base <commit>", "what the change is compared with, from where both have parted")
  .option("--head <commit>", "the change", "HEAD")
  .option("--guarded <stack...>", "stacks whose preview somebody has to approve", ["prod"]);

runCommand(command, main);

async function main({ base, head, guarded }: Options): Promise<void> {
  const changed = lines(await git("diff", "--name-only", "--no-renames", "-z", `${base}...${head}`));
  const files = lines(await git("ls-tree", "--name-only", "-z", head));
  const affected = affectedStacks(changed, stacksAmong(files));
  const isGuarded = (stack: string) => guarded.includes(stack);
  setOutput("open", JSON.stringify(affected.filter((stack) => !isGuarded(stack))));
  setOutput("guarded", JSON.stringify(affected.filter(isGuarded)));
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
