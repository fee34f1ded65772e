import { Command } from "commander";
import { runCommand } from "../common/command";
import { type ExitCode, exitCodes } from "../common/exitCodes";
import { describeFailure } from "../common/failure";
import { checkout } from "../common/paths";
import { promote, RefusedPromotion } from "./promote/promoteImage";

interface Options {
  readonly from: string;
  readonly to: string;
  readonly dryRun?: boolean;
}

const command = new Command("npm run promote --")
  .description("Writes the worker image and the versions that one stack runs into another stack's file.")
  .requiredOption("--from <stack>", "stack that runs what is promoted")
  .requiredOption("--to <stack>", "stack whose Pulumi.<stack>.yaml is written")
  .option("--dry-run", "show the change, write nothing")
  .addHelpText(
    "after",
    "\nExample: npm run promote -- --from dev --to prod\nExit codes: 0 written, or nothing to do; 3 refused by a guard; 1 failed.",
  );

async function main({ from, to, dryRun = false }: Options): Promise<ExitCode> {
  try {
    const { diff, notes } = await promote({ from, to, dryRun, folder: checkout });
    if (diff === "") {
      console.log(`Pulumi.${to}.yaml names already what stack ${from} runs.`);
      return exitCodes.ok;
    }
    console.log(diff);
    for (const note of notes) console.log(`note: ${note}`);
    console.log(
      dryRun
        ? "Nothing was written (--dry-run)."
        : `Written. Commit Pulumi.${to}.yaml and see what it does: npm run preview -- -s ${to}`,
    );
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof RefusedPromotion)) throw error;
    console.error(`\n${describeFailure(error)}`);
    return exitCodes.refused;
  }
}

runCommand(command, main, { afterInterruption: "run the command again" });
