import { Command, InvalidArgumentError } from "commander";
import { describeFailure, Failure } from "../common/failure";
import { runSteps, step } from "../common/progress";
import { stackEnvironment } from "../local/pulumi";
import { recordedTarget } from "../local/record";
import { renderOutcomes, type SmokeOutcome } from "./smoke/outcome";
import { smoke } from "./smoke/smokeTest";

interface Options {
  readonly stack: string;
  readonly timeout: number;
  readonly local?: boolean;
}

const command = new Command("npm run smoke --")
  .description("Runs one order through each worker group of a deployed stack and waits for its end.")
  .requiredOption("-s, --stack <name>", "the stack")
  .option("--timeout <seconds>", "longest wait for one order", seconds, 120)
  .option("--local", "the stack that npm run up deployed: no env.sh has to be sourced")
  .addHelpText("after", "\nExit codes: 0 every order completed, 1 not.");

const INTERRUPTED = 130;

void main(command.parse().opts<Options>()).then((code) => process.exit(code));

function seconds(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected 1 to 9999.");
}

async function main({ stack, timeout, local }: Options): Promise<number> {
  const stop = new AbortController();
  // Stays registered: without a listener the signal would end the process before it has removed the payload keys.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());
  let outcomes: readonly SmokeOutcome[] = [];
  try {
    if (local === true) useLocalStack(stack);
    await runSteps([
      step(`orders through stack ${stack}`, async ({ report }) => {
        outcomes = await smoke({ stack, timeoutSeconds: timeout, onLine: report, signal: stop.signal });
      }),
    ]);
  } catch (error) {
    if (stop.signal.aborted) return INTERRUPTED;
    console.error(`\n${describeFailure(error)}`);
    return 1;
  }
  console.log(renderOutcomes(outcomes));
  return outcomes.length > 0 && outcomes.every(({ completed }) => completed) ? 0 : 1;
}

function useLocalStack(stack: string): void {
  const target = recordedTarget();
  if (target?.stack !== stack) {
    throw new Failure(
      target === undefined ? "npm run up has deployed nothing" : `npm run up has deployed ${target.stack}`,
      `run npm run up -- --stack ${stack}, or leave --local away for a stack elsewhere`,
    );
  }
  Object.assign(process.env, stackEnvironment(target));
  delete process.env["PULUMI_CONFIG_PASSPHRASE"];
}
