import { randomUUID } from "node:crypto";
import { userInfo } from "node:os";
import { Command, InvalidArgumentError, Option } from "commander";
import { OrderClient } from "../client";
import { EXIT_CONFIGURATION, loadClientConfig } from "../config";
import { SAMPLE_FAILURES, sampleOrder } from "../domain/sample-orders";
import type { SampleFailure } from "../domain/sample-orders";
import { MAX_FULFILMENT_DELAY_SECONDS } from "../domain/order";
import { reportFailure } from "./failure";
import { outcomeText } from "./outcome";

interface Options {
  readonly customer: string;
  readonly fail?: SampleFailure;
  readonly count: number;
  readonly delay: number;
  readonly large: boolean;
  readonly points: boolean;
  readonly json: boolean;
  readonly startOnly: boolean;
  readonly await?: string[];
  readonly status?: string[];
  readonly approve?: string[];
  readonly cancel?: string[];
  readonly timeout: number;
}

const MAX_COUNT = 1000;

function integer(min: number, max: number) {
  return (text: string): number => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`Expected ${min} to ${max}.`);
    return value;
  };
}

const START_OPTIONS = ["startOnly", "count", "fail", "delay", "large", "points", "customer"];
const ON_EXISTING = ["await", "status", "approve", "cancel"];

/** An option that names orders which run already, and therefore goes with no option for starting some. */
const onExisting = (name: string, description: string): Option =>
  new Option(`--${name} <id...>`, description).conflicts([
    ...START_OPTIONS,
    ...ON_EXISTING.filter((other) => other !== name),
  ]);

const command = new Command("order")
  .description(
    "Starts sample orders on the Temporal that the TEMPORAL_* and CODEC_* variables name, and awaits them.",
  )
  .option("--customer <id>", "who orders", "customer-1")
  .addOption(new Option("--fail <how>", "make the order fail").choices(SAMPLE_FAILURES))
  .option("--count <n>", "orders to start", integer(1, MAX_COUNT), 1)
  .option(
    "--delay <seconds>",
    "time between payment and shipping",
    integer(0, MAX_FULFILMENT_DELAY_SECONDS),
    0,
  )
  .option("--large", "orders so large that they wait for --approve", false)
  .option("--points", "the orders count for the customer's loyalty account", false)
  .option("--start-only", "print the ids and do not wait", false)
  .addOption(onExisting("await", "start nothing, wait for these orders"))
  .addOption(onExisting("status", "start nothing, show where these orders are"))
  .addOption(onExisting("approve", "approve these orders, which were started with --large"))
  .addOption(onExisting("cancel", "cancel these orders"))
  .option("--timeout <seconds>", "longest wait for one order", integer(1, 7 * 24 * 3600), 300)
  .option("--json", "one JSON object per line", false)
  .showHelpAfterError("(--help shows all options)");

async function startOrders(client: OrderClient, options: Options): Promise<string[]> {
  const ids = Array.from({ length: options.count }, () => `order-${randomUUID()}`);
  const order = sampleOrder({
    customerId: options.customer,
    fail: options.fail,
    delaySeconds: options.delay,
    large: options.large,
    collectsPoints: options.points,
  });
  await Promise.all(ids.map((id) => client.start(id, order)));
  return ids;
}

/** Approves, cancels or only looks, and shows where each order is. */
async function tell(client: OrderClient, options: Options): Promise<void> {
  const ids = options.approve ?? options.cancel ?? options.status ?? [];
  // At once: where the worker was replaced, the first task of each order waits 5 s for the one that is gone.
  const told = ids.map(async (id) => {
    if (options.approve !== undefined) await client.approve(id, userInfo().username);
    if (options.cancel !== undefined) await client.cancel(id, "cancelled by the order command");
    return client.status(id);
  });
  for (const [index, status] of (await Promise.all(told)).entries()) {
    const workflowId = ids[index] ?? "";
    console.log(
      options.json ? JSON.stringify({ workflowId, ...status }) : `${workflowId} ${JSON.stringify(status)}`,
    );
  }
}

async function run(options: Options): Promise<boolean> {
  const config = loadClientConfig(process.env);
  // Not among the results: a script reads those.
  if (!options.json) console.error(`Temporal at ${config.connection.address}, namespace ${config.namespace}`);
  const client = await OrderClient.connect(config);
  try {
    if ((options.approve ?? options.cancel ?? options.status) !== undefined) {
      await tell(client, options);
      return true;
    }
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
        console.log(options.json ? JSON.stringify(outcome) : outcomeText(outcome));
        return outcome;
      }),
    );
    return outcomes.every(({ status }) => status === "completed");
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
    if (process.exitCode === EXIT_CONFIGURATION && process.env["TEMPORAL_ADDRESS"] === undefined) {
      console.error(
        "No Temporal is named: source env.sh, which npm run up writes and names, or set the variables for another stack.",
      );
    }
  },
);
