import { Command, InvalidArgumentError } from "commander";
import { runCommand } from "../common/command";
import type { ExitCode } from "../common/exitCodes";
import { runStep } from "../common/progress";
import { WORKER_IMAGE } from "../settings/stackImages";
import { type GateOptions, replayGate } from "./replay/gate";
import { exitCodeOf, render } from "./replay/replayReport";

interface Options extends Omit<GateOptions, "images"> {
  readonly image?: Readonly<Record<string, string>>;
  readonly json?: boolean;
}

const command = new Command("npm run replay --")
  .description("Replays the open workflows of a stack with the workflows of this checkout, or of an image.")
  .requiredOption("-s, --stack <name>", "stack whose open workflows are replayed")
  .option(
    "--image <reference...>",
    "sha256:… of the stack's repository, or repository@sha256:…, of an image of the stack's settings as NAME=…; default: the checkout",
    candidate,
  )
  .option(
    "--sample <n>",
    "at most about n of each worker group, spread over start times; default: all",
    positive,
  )
  .option("--group <name>", "only the workflows of this worker group; default: of all")
  .option("--query <filter>", 'only those that this list filter finds, such as WorkflowType = "order"')
  .option("--json", "the report as one line of JSON")
  .addHelpText(
    "after",
    "\nExample: npm run replay -- -s prod --image sha256:… --sample 200" +
      "\nExit codes: 0 all replayed, 3 workflows break, 1 failed or not all could be checked, 78 wrong arguments or settings.",
  );

/** Without a name it is the image that worker/ is built into. */
function candidate(text: string, before: Options["image"] = {}): Options["image"] {
  const [, name = WORKER_IMAGE, reference = ""] = /^(?:([a-z0-9-]+)=)?(.+)$/.exec(text) ?? [];
  return { ...before, [name]: reference };
}

function positive(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("must be an integer from 1");
}

async function main({ json, image: images, ...options }: Options, signal: AbortSignal): Promise<ExitCode> {
  const replay = (onLine: (line: string) => void) => replayGate({ ...options, images, onLine, signal });
  const report =
    json === true
      ? await replay((line) => console.error(line))
      : await runStep("replay of open workflows", (task) => replay(task.report));
  console.log(json === true ? JSON.stringify(report) : render(report));
  return exitCodeOf(report);
}

runCommand(command, main, { afterInterruption: "nothing was changed", onSignal: "finish" });
