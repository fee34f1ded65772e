import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { exitCodes } from "../common/exitCodes";
import { runCommand } from "../common/command";
import { runProjectCommand } from "./projectCommand";
import { addSummary } from "./runner";

interface Options {
  readonly stack: string;
  readonly reports: string;
}

const command = new Command("npm run ci:preview --")
  .description("Previews a stack and keeps report and outcome for the comment on the pull request.")
  .requiredOption("-s, --stack <name>", "the stack")
  .requiredOption("--reports <folder>", "where <stack>.md and <stack>.json are written")
  .addHelpText(
    "after",
    "\nExit codes: 0 with or without changes; else that of npm run preview: 3 refused, 1 failed.",
  );

runCommand(command, main);

async function main({ stack, reports }: Options): Promise<number> {
  mkdirSync(reports, { recursive: true });
  const report = join(reports, `${stack}.md`);
  const exitCode = await runProjectCommand("ops/preview", ["-s", stack, "--markdown", report]);
  writeFileSync(join(reports, `${stack}.json`), JSON.stringify({ stack, exitCode }));
  if (existsSync(report)) addSummary(readFileSync(report, "utf8"));
  return exitCode === exitCodes.changes ? exitCodes.ok : exitCode;
}
