import { Command, InvalidArgumentError } from "commander";
import { runCommand } from "../common/command";
import { type ExitCode, exitCodes } from "../common/exitCodes";
import { CHECK_NAMES, examine, PROBE } from "./doctor/examine";
import { exitCodeOf, json, render } from "./doctor/report";

interface Options {
  readonly stack: string;
  readonly skip: readonly string[];
  readonly probe: boolean;
  readonly json?: boolean;
}

const command = new Command("npm run doctor --")
  .description(
    "Looks at everything that decides whether a stack can be deployed, before the first update and in pipelines.",
  )
  .requiredOption("-s, --stack <name>", "the stack: one with a Pulumi.<name>.yaml")
  .option("--skip <check...>", `checks to leave out: ${CHECK_NAMES.join(", ")}`, checkName, [])
  .option("--no-probe", "make nothing in the cluster: the same as --skip enforcement")
  .option("--json", "print the report as JSON")
  .addHelpText(
    "after",
    "\nExample: npm run doctor -- -s prod" +
      "\n         npm run --silent doctor -- -s prod --no-probe --json" +
      "\nExit codes: 0 nothing failed, 1 a check failed or could not be made and was not left out.",
  );

function checkName(name: string, earlier: readonly string[]): string[] {
  if (CHECK_NAMES.includes(name)) return [...earlier, name];
  throw new InvalidArgumentError(`Expected one of ${CHECK_NAMES.join(", ")}.`);
}

async function main({ stack, skip, probe, json: asJson }: Options, signal: AbortSignal): Promise<ExitCode> {
  const onStep = (name: string): void => {
    if (process.stderr.isTTY) console.error(`checking ${name}`);
  };
  const skipped = [...skip, ...(probe ? [] : [PROBE])];
  const report = await examine(stack, { skipped, onStep, signal });
  if (signal.aborted) return exitCodes.interrupted;
  console.log(asJson === true ? json(report) : render(report));
  // A request that is never answered would keep the process for ever.
  setTimeout(() => process.exit(), 1000).unref();
  return exitCodeOf(report);
}

runCommand(command, main, { afterInterruption: "run the command again", onSignal: "finish" });
