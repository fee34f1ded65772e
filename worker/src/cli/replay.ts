import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { DefaultLogger, NativeConnection, Runtime } from "@temporalio/worker";
import { version as sdkVersion } from "@temporalio/worker/package.json";
import { connectionOptions, EXIT_CONFIGURATION, loadReplayConfig } from "../config";
import { openWithin } from "../connection";
import { replayOpenWorkflows } from "../replay/gate";
import { QueryError } from "../replay/open-workflows";
import { Replayer } from "../replay/replayer";
import { exitCode } from "../replay/report";
import { reportFailure } from "./failure";

interface Options {
  readonly sample?: number;
  readonly query?: string;
}

const CONNECT_MS = 10_000;
const PROGRESS_MS = 2000;

function positive(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("must be an integer from 1");
}

const command = new Command("replay")
  .description(
    "Replays the open workflows of the Temporal that the TEMPORAL_* and CODEC_* variables name with the workflows " +
      "of this build, and prints a report as JSON.",
  )
  .option("--sample <n>", "replay n of them, and at least one of each type; default: all", positive)
  .option("--query <filter>", "only those that this list filter finds")
  .addHelpText(
    "after",
    "\nExit codes: 0 all replayed, 3 some break, 1 not all could be checked, 78 wrong settings.",
  )
  .exitOverride(({ exitCode: code }) => process.exit(code === 0 ? 0 : EXIT_CONFIGURATION));

/** Says how far it is, now and then. */
function progress(): (replayed: number, total: number) => void {
  let last = Date.now();
  return (replayed, total) => {
    if (Date.now() - last < PROGRESS_MS) return;
    last = Date.now();
    console.error(`${replayed} of about ${total} histories replayed`);
  };
}

async function run({ query, sample }: Options): Promise<number> {
  const config = loadReplayConfig(process.env);
  // What the SDK logs of a history that does not replay, the report says.
  Runtime.install({
    logger: new DefaultLogger("ERROR", () => undefined),
    shutdownSignals: [],
    telemetryOptions: { logging: { forward: {}, filter: { core: "ERROR", other: "ERROR" } } },
  });
  const connection = await openWithin(
    () => NativeConnection.connect(connectionOptions(config.connection)),
    (late) => late.close(),
    CONNECT_MS,
    new AbortController().signal,
  );
  const { namespace, taskQueues, keyring } = config;
  const replayer = new Replayer({ codePath: join(__dirname, "..", "workflow-bundle.js") }, keyring);
  const report = await replayOpenWorkflows({
    ...{ connection, namespace, taskQueues, replayer, sdkVersion, query, sample },
    onProgress: progress(),
  });
  console.log(JSON.stringify(report));
  await replayer.close();
  await connection.close();
  return exitCode(report);
}

run(command.parse().opts<Options>()).then(
  (code) => process.exit(code),
  (error: unknown) => {
    const code = reportFailure(error);
    process.exit(error instanceof QueryError ? EXIT_CONFIGURATION : code);
  },
);
