import { randomUUID } from "node:crypto";
import { Command, InvalidArgumentError, Option } from "commander";
import { OrderClient } from "../client";
import type { OrderOutcome } from "../client";
import { ConfigurationError, EXIT_CONFIGURATION, loadClientConfig } from "../config";
import { SAMPLE_FAILURES, sampleOrder } from "../domain/sample-orders";
import type { SampleFailure } from "../domain/sample-orders";
import { MAX_FULFILMENT_DELAY_SECONDS } from "../domain/order";
import { causeChain } from "../errors";

interface Options {
  readonly customer: string;
  readonly fail?: SampleFailure;
  readonly count: number;
  readonly delay: number;
  readonly json: boolean;
  readonly startOnly: boolean;
  readonly await?: string[];
  readonly timeout: number;
}

const MAX_COUNT = 1000;

function wholeNumber(min: number, max: number) {
  return (text: string): number => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`Expected ${min} to ${max}.`);
    return value;
  };
}

const command = new Command("order")
  .description(
    "Starts sample orders on the Temporal that the TEMPORAL_* and CODEC_* variables name, and awaits them.",
  )
  .option("--customer <id>", "who orders", "customer-1")
  .addOption(new Option("--fail <how>", "make the order fail").choices(SAMPLE_FAILURES))
  .option("--count <n>", "orders to start", wholeNumber(1, MAX_COUNT), 1)
  .option(
    "--delay <seconds>",
    "time between payment and shipping",
    wholeNumber(0, MAX_FULFILMENT_DELAY_SECONDS),
    0,
  )
  .option("--start-only", "print the ids and do not wait", false)
  .addOption(
    new Option("--await <id...>", "start nothing, wait for these orders").conflicts([
      "startOnly",
      "count",
      "fail",
      "delay",
      "customer",
    ]),
  )
  .option("--timeout <seconds>", "longest wait for one order", wholeNumber(1, 7 * 24 * 3600), 300)
  .option("--json", "one JSON object per line", false)
  .showHelpAfterError("(--help shows all options)");

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

function human(outcome: OrderOutcome): string {
  const duration = outcome.durationMs === undefined ? "" : ` in ${seconds(outcome.durationMs)}`;
  const head = `${outcome.workflowId} ${outcome.status}${duration}`;
  return outcome.status === "completed"
    ? `${head}: ${JSON.stringify(outcome.result)}`
    : [head, ...outcome.failure.map((line, depth) => `${"  ".repeat(depth + 1)}${line}`)].join("\n");
}

async function startOrders(client: OrderClient, options: Options): Promise<string[]> {
  const ids = Array.from({ length: options.count }, () => `order-${randomUUID()}`);
  const order = sampleOrder({
    customerId: options.customer,
    fail: options.fail,
    delaySeconds: options.delay,
  });
  await Promise.all(ids.map((id) => client.start(id, order)));
  return ids;
}

async function run(options: Options): Promise<boolean> {
  const client = await OrderClient.connect(loadClientConfig(process.env));
  try {
    const ids = options.await ?? (await startOrders(client, options));
    if (options.startOnly) {
      for (const workflowId of ids) {
        console.log(options.json ? JSON.stringify({ workflowId, status: "started" }) : workflowId);
      }
      return true;
    }
    const outcomes = await Promise.all(
      ids.map(async (id) => {
        const outcome = await client.outcome(id, options.timeout);
        console.log(options.json ? JSON.stringify(outcome) : human(outcome));
        return outcome;
      }),
    );
    return outcomes.every(({ status }) => status === "completed");
  } finally {
    await client.close();
  }
}

function fail(error: unknown): number {
  if (error instanceof ConfigurationError) {
    console.error(["Invalid configuration:", ...error.problems.map((problem) => `  ${problem}`)].join("\n"));
    return EXIT_CONFIGURATION;
  }
  console.error(causeChain(error).join("\n  "));
  return 1;
}

run(command.parse().opts<Options>()).then(
  (completed) => {
    process.exitCode = completed ? 0 : 1;
  },
  (error: unknown) => {
    process.exitCode = fail(error);
  },
);
