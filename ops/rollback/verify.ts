import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { Failure, lastLines } from "../../common/failure";
import { kubeConfigOf } from "../stack/kubeConfig";
import { reachable } from "../stack/reachable";
import { cliOf } from "../../common/pulumi";
import { stackOutputs } from "../../common/stackOutputs";
import { runOrder } from "../smoke/order";
import { workerConnection } from "../stack/workerConnection";

/** Seconds that the order may take. */
const TIMEOUT_SECONDS = 120;

/**
 * Runs one order through a stack's workers, as `npm run order` does, with what its first worker group is given to
 * reach Temporal and to read payloads.
 *
 * @param checkout whose client starts the order
 * @returns the workflow's id
 * @throws Failure when it does not complete within two minutes
 */
export async function verifyByWorkflow(stack: string, checkout: string): Promise<string> {
  const cli = cliOf(stack);
  const outputs = await stackOutputs(cli);
  const config = await kubeConfigOf(cli, outputs.kubernetesContext);
  const folder = await mkdtemp(join(tmpdir(), "temporal-stack-verify-"));
  try {
    const [worker] = outputs.workers;
    const environment = await workerConnection(config, worker, folder);
    await buildClient(checkout);
    return await reachable(config, environment, (reached) => order(worker.name, checkout, reached));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const clientOf = (checkout: string): string => join(checkout, "worker/lib/cli/order.js");

async function buildClient(checkout: string): Promise<void> {
  if (existsSync(clientOf(checkout))) return;
  const args = ["--prefix", join(checkout, "worker"), "run", "--silent", "build"];
  const { failed, all } = await execa("npm", args, { reject: false, all: true });
  if (failed)
    throw new Failure("the worker's client does not build", "correct what is named above", lastLines(all));
}

async function order(
  group: string,
  checkout: string,
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const client = clientOf(checkout);
  const { outcome, complaints } = await runOrder(group, client, environment, {
    timeoutSeconds: TIMEOUT_SECONDS,
  });
  if (outcome?.completed === true) return outcome.workflowId;
  throw new Failure(
    outcome === undefined
      ? "the order that was to verify the stack could not be started"
      : `order ${outcome.workflowId}, which was to verify the stack, ended as failed`,
    "look at the workers' pods and at the workflow in the Temporal UI",
    outcome?.failure ?? complaints,
  );
}
