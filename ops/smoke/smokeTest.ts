import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../common/failure";
import { kubeConfigOf } from "../stack/kubeConfig";
import { reachable } from "../stack/reachable";
import { checkoutCandidate } from "../replay/candidate";
import { cliOf } from "../../common/pulumi";
import { stackOutputs } from "../../common/stackOutputs";
import { workerConnection } from "../stack/workerConnection";
import { runOrder } from "./order";
import type { SmokeOutcome } from "./outcome";

/** Which stack, and how patiently. */
export interface SmokeOptions {
  readonly stack: string;
  /** Longest wait for one workflow, in seconds. */
  readonly timeoutSeconds: number;
  /** Told what happens. */
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs one order through each worker group of a deployed stack, as a client of its own that connects and
 * encrypts as the workers do, and waits for its end.
 *
 * @throws UsageFailure when the stack is not deployed; Failure when a workflow cannot be started
 */
export async function smoke({
  stack,
  timeoutSeconds,
  onLine,
  signal,
}: SmokeOptions): Promise<SmokeOutcome[]> {
  const cli = cliOf(stack);
  const outputs = await stackOutputs(cli);
  const folder = await mkdtemp(join(tmpdir(), "temporal-stack-smoke-"));
  try {
    onLine("building the client of this checkout");
    const client = join((await checkoutCandidate(signal)).folder, "lib", "cli", "order.js");
    const config = await kubeConfigOf(cli, outputs.kubernetesContext);
    const outcomes: SmokeOutcome[] = [];
    for (const group of outputs.workers) {
      onLine(`an order for ${group.name}`);
      const environment = await workerConnection(config, group, join(folder, group.name));
      outcomes.push(
        await reachable(config, environment, (reached) =>
          orderFor(group.name, client, reached, timeoutSeconds, signal),
        ),
      );
    }
    return outcomes;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function orderFor(
  group: string,
  client: string,
  environment: Readonly<Record<string, string>>,
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<SmokeOutcome> {
  const args = ["--customer", "smoke-test"];
  const { outcome, timedOut, complaints } = await runOrder(group, client, environment, {
    timeoutSeconds,
    args,
    signal,
  });
  if (outcome !== undefined) return outcome;
  throw new Failure(
    `no order could be started for worker group ${group}${timedOut ? ": its client did not end in time" : ""}`,
    "settle what is named above; the connection is that of the deployed workers",
    complaints,
  );
}
