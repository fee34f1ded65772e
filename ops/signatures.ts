import { Command } from "commander";
import { execa } from "execa";
import { z } from "zod";
import { Failure, lastLines } from "../common/failure";
import { runCommand } from "../local/command";
import { checkout } from "../local/paths";
import { warn } from "./ci/runner";

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

const packages = z.array(z.looseObject({ name: z.string(), version: z.string() }));
const reportSchema = z.object({ invalid: packages, missing: packages });

runCommand(() => main(command.parse().opts<{ release: boolean }>()));

async function main({ release }: { readonly release: boolean }): Promise<void> {
  const problems: string[] = [];
  const notChecked: string[] = [];
  for (const folder of FOLDERS) {
    const { stdout, stderr } = await execa("npm", ["audit", "signatures", "--json"], {
      cwd: `${checkout}/${folder}`,
      reject: false,
      timeout: TIMEOUT_MS,
    });
    const report = reportSchema.safeParse(parsed(stdout));
    if (!report.success) {
      notChecked.push(
        `packages of ${folder}: ${lastLines(stderr, 8)[0] ?? "npm audit signatures gave no answer"}`,
      );
      continue;
    }
    const { invalid, missing } = report.data;
    problems.push(
      ...invalid.map(({ name, version }) => `${folder}: ${name}@${version}: the signature is WRONG`),
      ...missing.map(({ name, version }) => `${folder}: ${name}@${version}: not signed`),
    );
    if (invalid.length + missing.length === 0) console.log(`packages of ${folder}: all are signed`);
  }
  for (const line of notChecked) warn(`NOT CHECKED ${line}`);
  if (problems.length > 0) {
    throw new Failure("packages are not what the registry has signed", "install none of them", problems);
  }
  if (release && notChecked.length > 0) {
    throw new Failure(
      "signatures were not checked",
      "release from where the registry's keys can be reached",
      notChecked,
    );
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
