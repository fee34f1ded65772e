import { Command, InvalidArgumentError } from "commander";
import { runCommand } from "../common/command";
import { type ExitCode, exitCodes } from "../common/exitCodes";
import { runStep } from "../common/progress";
import { failedOf, renderVerdicts } from "../common/smoke/outcome";
import { smoke } from "./smoke/smokeTest";

interface Options {
  readonly stack: string;
  readonly timeout?: number;
}

const command = new Command("npm run smoke --")
  .description("Runs the workflow that the settings name through each worker group of a deployed stack.")
  .requiredOption("-s, --stack <name>", "the stack")
  .option(
    "--timeout <seconds>",
    "seconds after which a workflow has failed; default: the settings' smoke.timeoutSeconds",
    seconds,
  )
  .addHelpText(
    "after",
    "\nExample: npm run smoke -- -s prod --timeout 60\nExit codes: 0 every workflow completed, 1 not. Groups without a workflow are named: NOT VERIFIED.",
  );

function seconds(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected 1 to 9999.");
}

async function main({ stack, timeout }: Options, signal: AbortSignal): Promise<ExitCode> {
  const verdicts = await runStep(`workflows through stack ${stack}`, ({ report }) =>
    smoke({ stack, timeoutSeconds: timeout, onLine: report, signal }),
  );
  console.log(renderVerdicts(verdicts));
  return failedOf(verdicts).length === 0 ? exitCodes.ok : exitCodes.failed;
}

runCommand(command, main, { afterInterruption: "run the command again", onSignal: "finish" });
