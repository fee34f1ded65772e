import { Command, InvalidArgumentError } from "commander";
import { runCommand } from "../common/command";
import { UsageFailure } from "../common/usageFailure";
import { timeOf } from "./history/choose";
import { rollback, type RollbackOptions } from "./rollback/rollBack";

type Flags = Omit<RollbackOptions, "replay"> & { readonly skipReplay?: boolean };

const command = new Command("npm run rollback --")
  .description(
    "Takes a stack back to what an earlier update deployed: its program, its settings, its worker image.",
  )
  .requiredOption("-s, --stack <name>", "the stack")
  .option(
    "--to <commit|time>",
    "the last good update of a commit, or until a time (UTC, like 2026-01-31T12:00); default: the last good one before now",
    commitOrTime,
  )
  .option(
    "--worker-only",
    "keep program and settings, which must be those of this checkout; swap the worker image only",
  )
  .option("--group <name>", "with --worker-only: the image of this worker group alone")
  .option("--reason <text>", "why, for the history and the quarantine", oneLine)
  .option("--skip-replay", "do not replay open workflows on that image first")
  .option("--no-verify", "run no workflow afterwards")
  .option("-y, --yes", "do not ask")
  .addHelpText(
    "after",
    "\nExample: npm run rollback -- -s prod --to 2f6c0c1 --reason 'orders fail'" +
      "\nWhat runs now goes into quarantine: npm run quarantine. docs/changing-it-safely.md tells all.",
  );

function commitOrTime(text: string): string {
  if (/^[0-9a-f]{7,40}$/i.test(text) || timeOf(text) !== undefined) return text;
  throw new InvalidArgumentError("Expected 7 to 40 digits of a commit, or a time like 2026-01-31T12:00.");
}

function oneLine(text: string): string {
  if (/^[^\p{C}\p{Z}]([^\p{C}]*[^\p{C}\p{Z}])?$/u.test(text) && text.length <= 200) return text;
  throw new InvalidArgumentError("Expected one line of at most 200 characters.");
}

runCommand<Flags>(
  command,
  ({ skipReplay, ...options }, signal) => {
    if (options.group !== undefined && options.workerOnly !== true) {
      throw new UsageFailure(
        "--group without --worker-only: the program and the settings belong to the whole stack",
        "add --worker-only",
      );
    }
    return rollback({ ...options, replay: skipReplay !== true }, signal);
  },
  {
    afterInterruption: ({ stack }) =>
      `npm run recover -- -s ${stack} shows whether anything is left to resolve; then run the command again`,
    onSignal: "finish",
  },
);
