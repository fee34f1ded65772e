import { Command, InvalidArgumentError, Option } from "commander";
import { runCommand } from "../common/command";
import { UsageFailure } from "../common/usageFailure";
import type { RestorePoint, Wish } from "./restore/plan";
import { restoreStack } from "./restore/restoreStack";

interface Options {
  readonly stack: string;
  readonly to?: RestorePoint;
  readonly backup?: string;
  readonly back?: boolean;
  readonly release?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const command = new Command("npm run restore --")
  .description(
    "Restores the Postgres cluster of a stack from its backups, beside the one that runs, step by step.",
  )
  .requiredOption("-s, --stack <name>", "the stack: one with a Pulumi.<name>.yaml")
  .option("--to <time>", "a time with its zone, such as 2026-11-28T10:15:00Z, or latest", point)
  .addOption(
    new Option("--backup <name>", "the state of a base backup: its name, or its id in the store").conflicts(
      "to",
    ),
  )
  .addOption(
    new Option("--back", "move Temporal back to the former generation").conflicts([
      "to",
      "backup",
      "release",
    ]),
  )
  .addOption(new Option("--release", "give the former generation up").conflicts(["to", "backup"]))
  .option("--dry-run", "show what would be done, and do nothing")
  .option("-y, --yes", "deploy, stop and start without asking, until Temporal uses the restored database")
  .addHelpText(
    "after",
    "\nExample: npm run restore -- -s prod --to 2026-11-28T10:15:00Z" +
      "\nWithout --yes each call writes the next change of the stack's file, for review. Without a point it shows what there" +
      "\nis, or carries on. What a restore means for workflows: docs/backups.md.",
  );

/** Postgres would take a time without a zone for UTC, and people take it for their own. */
function point(text: string): RestorePoint {
  if (text === "latest") return { kind: "latest" };
  const time = new Date(text);
  if (
    /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)$/.test(text) &&
    !Number.isNaN(time.getTime())
  ) {
    return { kind: "time", time };
  }
  throw new InvalidArgumentError("Expected a time with its zone, such as 2026-11-28T10:15:00Z, or latest.");
}

function wishOf({ to, backup, back, release }: Options): Wish {
  if (to !== undefined) return { kind: "restore", point: to };
  if (backup !== undefined) return { kind: "restore", point: { kind: "backup", name: backup } };
  if (back === true) return { kind: "back" };
  return release === true ? { kind: "release" } : { kind: "carryOn" };
}

async function main(options: Options, signal: AbortSignal): Promise<void> {
  const { stack, dryRun = false, yes = false } = options;
  if (dryRun && yes) throw new UsageFailure("--dry-run and --yes contradict each other", "give one of them");
  await restoreStack({ stack, wish: wishOf(options), dryRun, yes }, signal);
}

runCommand(command, main, { afterInterruption: "run the same command again: it carries on from here" });
