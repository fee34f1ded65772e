import { join } from "node:path";
import { Command } from "commander";
import { execa } from "execa";
import { Failure } from "../common/failure";
import { runCommand } from "../common/command";
import { checkout } from "../common/paths";
import { warn } from "./runner";
import { signatureAnswer } from "./supplyChain/signatures";

/** Folders with installed packages. */
const FOLDERS = [".", "worker"] as const;

/** Where the keys cannot be had, npm tries for minutes. */
const TIMEOUT_MS = 5 * 60_000;

const command = new Command("npm run signatures --")
  .description(
    "Checks that the registry has signed every installed package, and the statements of who built it.",
  )
  .option("--release", "not being able to check is a failure", false)
  .addHelpText(
    "after",
    "\nExit codes: 0 signed, or not checked (it says so); 1 a signature is missing or wrong.",
  );

runCommand(command, main);

async function main({ release }: { readonly release: boolean }): Promise<void> {
  const answers = await Promise.all(FOLDERS.map(audit));
  const problems = answers.flatMap((answer) => answer.problems);
  const notChecked = answers.flatMap((answer) => answer.notChecked ?? []);
  for (const line of notChecked) warn(`NOT CHECKED ${line}`);
  if (problems.length > 0) {
    throw new Failure("packages are not what the registry has signed", "install none of them", problems);
  }
  if (release && notChecked.length > 0) {
    throw new Failure("signatures were not checked", "release from where the registry's keys can be reached");
  }
  if (notChecked.length === 0) console.log(`packages of ${FOLDERS.join(" and ")}: all are signed`);
}

async function audit(folder: string) {
  const { stdout } = await execa("npm", ["audit", "signatures", "--json"], {
    cwd: join(checkout, folder),
    reject: false,
    timeout: TIMEOUT_MS,
  });
  const { problems, notChecked } = signatureAnswer(stdout);
  return {
    problems: problems.map((problem) => `${folder}: ${problem}`),
    notChecked: notChecked === undefined ? undefined : `packages of ${folder}: ${notChecked}`,
  };
}
