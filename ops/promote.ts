import { Command } from "commander";
import { describeFailure } from "../common/failure";
import { checkout } from "../common/paths";
import { promote, RefusedPromotion } from "./promote/promoteImage";
import { exitCodes } from "./report/changeReport";

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
  .addHelpText("after", "\nExit codes: 0 written, or nothing to do; 3 refused by a guard; 1 failed.");

async function main({ from, to, dryRun = false }: Options): Promise<number> {
  try {
    const { diff, notes } = await promote({ from, to, dryRun, folder: checkout });
    if (diff === "") {
      console.log(`Pulumi.${to}.yaml names already what stack ${from} runs.`);
      return 0;
    }
    console.log(diff);
    for (const note of notes) console.log(`note: ${note}`);
    console.log(
      dryRun
        ? "Nothing was written (--dry-run)."
        : `Written. Commit Pulumi.${to}.yaml and see what it does: npm run preview -- -s ${to}`,
    );
    return 0;
  } catch (error) {
    console.error(`\n${describeFailure(error)}`);
    return error instanceof RefusedPromotion ? exitCodes.refused : exitCodes.failed;
  }
}

void main(command.parse().opts<Options>()).then((code) => {
  process.exitCode = code;
});
