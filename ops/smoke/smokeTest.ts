import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GroupVerdict } from "../../common/smoke/outcome";
import { runSmokeWorkflow } from "../../common/smoke/run";
import { smokeOf } from "../../common/stackOutputs";
import { kubeConfigOf } from "../stack/kubeConfig";
import { reachable } from "../stack/reachable";
import { checkoutCandidate } from "../replay/candidate";
import { cliOf } from "../../common/pulumi";
import { stackOutputs } from "../../common/stackOutputs";
import { workerConnection } from "../stack/workerConnection";

const REMEDY = "settle what is named above; the connection is that of the deployed workers";

/** Which stack, and how patiently. */
export interface SmokeOptions {
  readonly stack: string;
  /** Longest wait for one workflow, in seconds; default: the settings'. */
  readonly timeoutSeconds?: number | undefined;
  /** Told what happens. */
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs the workflow that the settings name through each worker group of a deployed stack, as a client of its own that
 * connects and encrypts as the workers do, and waits for its end.
 *
 * @throws UsageFailure when the stack is not deployed; Failure when a workflow cannot be started
 */
export async function smoke({
  stack,
  timeoutSeconds,
  onLine,
  signal,
}: SmokeOptions): Promise<GroupVerdict[]> {
  const cli = cliOf(stack);
  const outputs = await stackOutputs(cli);
  const folder = await mkdtemp(join(tmpdir(), "temporal-stack-smoke-"));
  try {
    onLine("building the client of this checkout");
    await checkoutCandidate(signal);
    const config = await kubeConfigOf(cli, outputs.kubernetesContext);
    const verdicts: GroupVerdict[] = [];
    for (const group of outputs.workers) {
      const named = smokeOf(group);
      if (named === undefined) {
        verdicts.push({ group: group.name, notVerified: true });
        continue;
      }
      onLine(`workflow ${named.workflow} for ${group.name}`);
      const workflow = { ...named, timeoutSeconds: timeoutSeconds ?? named.timeoutSeconds };
      const own = await workerConnection(config, group, join(folder, group.name));
      verdicts.push(
        await reachable(config, own, (environment) =>
          runSmokeWorkflow(group.name, workflow, { environment, signal, remedy: REMEDY }),
        ),
      );
    }
    return verdicts;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
