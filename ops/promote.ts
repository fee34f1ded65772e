import { Command, InvalidArgumentError } from "commander";
import { runCommand } from "../common/command";
import { type ExitCode, exitCodes } from "../common/exitCodes";
import { describeFailure } from "../common/failure";
import { checkout } from "../common/paths";
import { UsageFailure } from "../common/usageFailure";
import { imageDigest } from "../settings/stackImages";
import { promote, type PromoteOptions, RefusedPromotion } from "./promote/promoteImage";

interface Options {
  readonly from?: string;
  readonly to: string;
  readonly group?: string;
  readonly digest?: string;
  readonly dryRun?: boolean;
}

const command = new Command("npm run promote --")
  .description(
    "Writes the worker images and the versions that one stack runs into another stack's file, or another image of one worker group.",
  )
  .option("--from <stack>", "stack that runs what is promoted")
  .requiredOption(
    "--to <stack>",
    "stack whose file is written, or, for groups with a file of their own, those of workers/",
  )
  .option("--group <name>", "instead of --from: the worker group that is to run another image")
  .option("--digest <digest>", "with --group: sha256:… in the repository of the group's image", digest)
  .option("--dry-run", "show the change, write nothing")
  .addHelpText(
    "after",
    "\nExamples: npm run promote -- --from dev --to prod" +
      "\n          npm run promote -- --to prod --group billing --digest sha256:…" +
      "\nExit codes: 0 written, or nothing to do; 3 refused by a guard; 1 failed.",
  );

function digest(text: string): string {
  if (imageDigest.safeParse(text).success) return text;
  throw new InvalidArgumentError("Expected sha256: and 64 hexadecimal digits.");
}

function whatOf({ from, group, digest: wanted }: Omit<Options, "to">): PromoteOptions["what"] {
  if (from !== undefined && group === undefined && wanted === undefined) return { from };
  if (from === undefined && group !== undefined && wanted !== undefined) return { group, digest: wanted };
  throw new UsageFailure(
    "what is promoted is not clear",
    "give --from STACK, or --group NAME and --digest sha256:…",
  );
}

async function main({ to, dryRun = false, ...options }: Options): Promise<ExitCode> {
  const what = whatOf(options);
  try {
    const { diff, files, notes } = await promote({ what, to, dryRun, folder: checkout });
    if (diff === "") {
      const subject =
        "from" in what ? `run what stack ${what.from} runs` : `run that image in group ${what.group}`;
      console.log(`stack ${to} is set to ${subject} already.`);
      return exitCodes.ok;
    }
    console.log(diff);
    for (const note of notes) console.log(`note: ${note}`);
    console.log(
      dryRun
        ? "Nothing was written (--dry-run)."
        : `Written. Commit ${files.join(" and ")} and see what it does: npm run preview -- -s ${to}`,
    );
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof RefusedPromotion)) throw error;
    console.error(`\n${describeFailure(error)}`);
    return exitCodes.refused;
  }
}

runCommand(command, main, { afterInterruption: "run the command again" });
