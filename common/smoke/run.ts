import { join } from "node:path";
import { execa } from "execa";
import { Failure, lastLines } from "../failure";
import { checkout } from "../paths";
import type { SmokeWorkflow } from "../stackOutputs";
import { systemCertificates } from "../systemCertificates";
import { outcomeOf, type SmokeOutcome } from "./outcome";

/** The client of this checkout, once the worker package is built. */
export const workflowClient = join(checkout, "worker/lib/cli/execute.js");

/** Beyond the workflow's own time: the connection, and Temporal's answer. */
const OVERHEAD_SECONDS = 40;

/** How a workflow is started. */
export interface RunOptions {
  /** How it reaches Temporal and opens payloads; nothing of this shell is added. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** What to do where it cannot be started. */
  readonly remedy: string;
}

/**
 * Starts the workflow that shows that a worker group works, and waits for its end.
 *
 * @throws Failure when it cannot be started, with what the client complained of
 */
export async function runSmokeWorkflow(
  group: string,
  { workflow, input, taskQueue, timeoutSeconds }: SmokeWorkflow,
  { environment, signal, remedy }: RunOptions,
): Promise<SmokeOutcome> {
  const args = [
    ...["--json", "--type", workflow, "--task-queue", taskQueue, "--timeout", String(timeoutSeconds)],
    ...(input === undefined ? [] : ["--input", input]),
  ];
  const { stdout, stderr, timedOut } = await execa(process.execPath, [workflowClient, ...args], {
    // This shell's own TEMPORAL_* variables may mean another server.
    extendEnv: false,
    env: { ...systemCertificates(), ...environment },
    reject: false,
    stdin: "ignore",
    timeout: (timeoutSeconds + OVERHEAD_SECONDS) * 1000,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  const outcome = outcomeOf({ group, taskQueue }, stdout);
  if (outcome !== undefined) return outcome;
  throw new Failure(
    `workflow ${workflow} could not be started for worker group ${group}${timedOut ? ": its client did not end in time" : ""}`,
    remedy,
    lastLines(stderr),
  );
}
