import { Command, InvalidArgumentError } from "commander";
import { describeFailure } from "../common/failure";
import { runSteps, step } from "../common/progress";
import { exitCodes, SettingsFailure } from "../common/settingsFailure";
import { type GateOptions, replayGate } from "./replay/gate";
import { exitCodeOf, type GateReport, render } from "./replay/replayReport";

interface Options extends GateOptions {
  readonly json?: boolean;
}

const INTERRUPTED = 130;

const command = new Command("npm run replay --")
  .description("Replays the open workflows of a stack with the workflows of this checkout, or of an image.")
  .requiredOption("--stack <name>", "stack whose open workflows are replayed")
  .option(
    "--image <digest>",
    "sha256:… of the stack's repository, or repository@sha256:…; default: the checkout",
  )
  .option(
    "--sample <n>",
    "at most about n of each worker group, spread over start times; default: all",
    positive,
  )
  .option("--query <filter>", 'only those that this list filter finds, such as WorkflowType = "order"')
  .option("--json", "the report as one line of JSON")
  .addHelpText(
    "after",
    "\nExit codes: 0 all replayed, 3 workflows break, 1 failed or not all could be checked, 78 wrong arguments or settings.",
  )
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : exitCodes.settings));

function positive(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number from 1.");
}

async function main({ json, ...options }: Options): Promise<number> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // Stays registered: without a listener the first signal would end the process before it has cleaned up.
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(INTERRUPTED);
      stop.abort();
    });
  }
  let report: GateReport | undefined;
  const replay = async (onLine: (line: string) => void): Promise<void> => {
    report = await replayGate({ ...options, onLine, signal: stop.signal });
  };
  try {
    if (json === true) await replay((line) => console.error(line));
    else await runSteps([step("replay of open workflows", (task) => replay(task.report))]);
  } catch (error) {
    if (stop.signal.aborted) return INTERRUPTED;
    console.error(`\n${describeFailure(error)}`);
    return error instanceof SettingsFailure ? exitCodes.settings : exitCodes.failed;
  }
  if (report === undefined) throw new Error("the step ended without a report");
  console.log(json === true ? JSON.stringify(report) : render(report));
  return exitCodeOf(report);
}

void main(command.parse().opts<Options>()).then((code) => process.exit(code));
