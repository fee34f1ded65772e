import { Command, InvalidArgumentError } from "commander";
import { runCommand } from "../common/command";
import { type ExitCode, exitCodes } from "../common/exitCodes";
import { runStep } from "../common/progress";
import { renderOutcomes } from "./smoke/outcome";
import { smoke } from "./smoke/smokeTest";

interface Options {
  readonly stack: string;
  readonly timeout: number;
}

const command = new Command("npm run smoke --")
  .description("Runs one order through each worker group of a deployed stack and waits for its end.")
  .requiredOption("-s, --stack <name>", "the stack")
  .option("--timeout <seconds>", "longest wait for one order", seconds, 120)
  .addHelpText(
    "after",
    "\nExample: npm run smoke -- -s prod --timeout 60\nExit codes: 0 every order completed, 1 not.",
  );

function seconds(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected 1 to 9999.");
}

async function main({ stack, timeout }: Options, signal: AbortSignal): Promise<ExitCode> {
  const outcomes = await runStep(`orders through stack ${stack}`, ({ report }) =>
    smoke({ stack, timeoutSeconds: timeout, onLine: report, signal }),
  );
  console.log(renderOutcomes(outcomes));
  return outcomes.length > 0 && outcomes.every(({ completed }) => completed)
    ? exitCodes.ok
    : exitCodes.failed;
}

runCommand(command, main, { afterInterruption: "run the command again", onSignal: "finish" });
