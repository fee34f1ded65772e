import { Command, InvalidArgumentError } from "commander";
import { runCommand } from "../common/command";
import { type ExitCode, exitCodes } from "../common/exitCodes";
import { conform, CONFORM_CHECKS } from "./conform/conform";
import { exitCodeOf, json, render } from "./doctor/report";

interface Options {
  readonly stack: string;
  readonly image: string;
  readonly group?: string;
  readonly skip: readonly string[];
  readonly json?: boolean;
}

const command = new Command("npm run conform --")
  .description(
    "Says what an image keeps of the worker contract: runs it in a temporary namespace of the stack's cluster, with a Temporal server of its own.",
  )
  .requiredOption("-s, --stack <name>", "the stack: one with a Pulumi.<name>.yaml")
  .requiredOption(
    "--image <reference>",
    "the image: repository@sha256:…, or sha256:… in the group's repository",
  )
  .option("--group <name>", "run it with the command, ports, probes and queues of this worker group")
  .option("--skip <check...>", `checks to leave out: ${CONFORM_CHECKS.join(", ")}`, checkName, [])
  .option("--json", "print the report as JSON")
  .addHelpText(
    "after",
    "\nExample: npm run conform -- -s dev --image registry.example.com/billing@sha256:…" +
      "\n         npm run --silent conform -- -s prod --group billing --image sha256:… --json" +
      "\nExit codes: 0 nothing failed, 1 a check failed or could not be made and was not left out." +
      "\nThe contract: docs/worker-contract.md.",
  );

function checkName(name: string, earlier: readonly string[]): string[] {
  if (CONFORM_CHECKS.includes(name)) return [...earlier, name];
  throw new InvalidArgumentError(`Expected one of ${CONFORM_CHECKS.join(", ")}.`);
}

async function main(
  { stack, image, group, skip, json: asJson }: Options,
  signal: AbortSignal,
): Promise<ExitCode> {
  const onStep = (name: string): void => {
    if (process.stderr.isTTY) console.error(`checking ${name}`);
  };
  const report = await conform(stack, { image, group, skipped: skip, onStep, signal });
  if (signal.aborted) return exitCodes.interrupted;
  console.log(asJson === true ? json(report) : render(report));
  // A request that is never answered would keep the process for ever.
  setTimeout(() => process.exit(), 1000).unref();
  return exitCodeOf(report);
}

runCommand(command, main, { afterInterruption: "run the command again", onSignal: "finish" });
