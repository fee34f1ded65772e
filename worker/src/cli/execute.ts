import { Command, InvalidArgumentError } from "commander";
import { EXIT_CONFIGURATION, loadClientConfig } from "../config";
import { execute } from "../execution";
import { TemporalClient } from "../temporal-client";
import { reportFailure } from "./failure";
import { outcomeText } from "./outcome";

interface Options {
  readonly type: string;
  readonly input?: { readonly value: unknown };
  readonly taskQueue?: string;
  readonly timeout: number;
  readonly json: boolean;
}

const command = new Command("execute")
  .description(
    "Starts one workflow on the Temporal that the TEMPORAL_* and CODEC_* variables name, and waits for its end.",
  )
  .requiredOption("--type <name>", "type of the workflow")
  .option("--input <json>", "its argument; default: none", json)
  .option("--task-queue <name>", "default: the first of TEMPORAL_TASK_QUEUES")
  .option("--timeout <seconds>", "seconds after which Temporal ends the workflow", seconds, 120)
  .option("--json", "the outcome as one line of JSON", false)
  .addHelpText("after", "\nExit codes: 0 completed, 1 failed, 78 wrong arguments or settings.")
  .showHelpAfterError("(--help shows all options)")
  .exitOverride(({ exitCode: code }) => process.exit(code === 0 ? 0 : EXIT_CONFIGURATION));

function json(text: string): { readonly value: unknown } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    throw new InvalidArgumentError("Expected JSON.");
  }
}

function seconds(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected 1 to 99999.");
}

async function run({ type, input, taskQueue, timeout, json }: Options): Promise<boolean> {
  const queue = taskQueue === undefined ? {} : { TEMPORAL_TASK_QUEUES: taskQueue };
  const config = loadClientConfig({ ...process.env, ...queue });
  const client = await TemporalClient.connect(config);
  try {
    const args = input === undefined ? [] : [input.value];
    const encrypted = config.keyring !== undefined;
    const outcome = await execute(client, { type, args, timeoutSeconds: timeout, encrypted });
    console.log(json ? JSON.stringify(outcome) : outcomeText(outcome));
    return outcome.status === "completed";
  } finally {
    await client.close();
  }
}

run(command.parse().opts<Options>()).then(
  (completed) => {
    process.exitCode = completed ? 0 : 1;
  },
  (error: unknown) => {
    process.exitCode = reportFailure(error);
  },
);
