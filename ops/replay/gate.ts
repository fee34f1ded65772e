import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { Failure, lastLines } from "../../common/failure";
import { kubeConfigOf } from "../stack/kubeConfig";
import { reachable } from "../stack/reachable";
import { type Candidate, checkoutCandidate, imageCandidate, replayCommand } from "./candidate";
import { exitCodes } from "../../common/exitCodes";
import { UsageFailure } from "../../common/usageFailure";
import { type GateReport, type GroupReport, groupReportSchema } from "./replayReport";
import { cliOf } from "../../common/pulumi";
import { stackOutputs } from "../../common/stackOutputs";
import { WORKER_IMAGE } from "../../settings/stackImages";
import { systemCertificates } from "../../common/systemCertificates";
import { workerConnection } from "../stack/workerConnection";

/** What to replay, and with what. */
export interface GateOptions {
  /** Stack whose open workflows are replayed. */
  readonly stack: string;
  /** Image by digest whose workflows replay them; default: those of the checkout, freshly built. */
  readonly image?: string | undefined;
  /** Histories of each worker group, spread over all start times, at least one of each type; default: all. */
  readonly sample?: number | undefined;
  /** List filter that narrows the workflows down; default: all that are open. */
  readonly query?: string | undefined;
  /** Told what happens. */
  readonly onLine?: (line: string) => void;
  /** Aborting it ends the replay; what was written is removed. */
  readonly signal?: AbortSignal;
}

/**
 * Replays the workflows that are open in a stack's Temporal namespace with the workflows of a candidate: a build
 * that is to be deployed, or the image that a rollback goes back to. Neither stack nor workflows are changed.
 *
 * @throws UsageFailure when arguments, settings or the stack are wrong; Failure when the gate gets no answer
 */
export async function replayGate(options: GateOptions): Promise<GateReport> {
  const { stack, image, onLine = () => undefined, signal = new AbortController().signal } = options;
  const cli = cliOf(stack);
  const outputs = await stackOutputs(cli);
  const folder = await mkdtemp(join(tmpdir(), "temporal-stack-replay-"));
  try {
    onLine(image === undefined ? "building the workflows of this checkout" : `fetching ${image}`);
    const candidate =
      image === undefined
        ? await checkoutCandidate(signal)
        : await imageCandidate(image, outputs.workerImage, join(folder, "image"), signal);
    const config = await kubeConfigOf(cli, outputs.kubernetesContext);
    const groups: GroupReport[] = [];
    const unchecked = outputs.workers.filter(
      ({ image: own }) => own !== undefined && own.name !== WORKER_IMAGE,
    );
    for (const group of outputs.workers.filter((own) => !unchecked.includes(own))) {
      onLine(`replaying the open workflows of ${group.name}`);
      const environment = await workerConnection(config, group, join(folder, group.name));
      groups.push({
        group: group.name,
        ...(await reachable(config, environment, (reached) =>
          replayWith(candidate, reached, { ...options, signal }),
        )),
      });
    }
    return {
      stack,
      candidate: candidate.description,
      groups,
      uncheckedGroups: unchecked.map(({ name, image: own }) => ({ group: name, image: own?.name ?? "" })),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function replayWith(
  candidate: Candidate,
  environment: Readonly<Record<string, string>>,
  { sample, query, onLine, signal }: GateOptions & { readonly signal: AbortSignal },
) {
  const args = [
    ...(sample === undefined ? [] : ["--sample", String(sample)]),
    ...(query === undefined ? [] : ["--query", query]),
  ];
  const child = execa(process.execPath, [replayCommand(candidate), ...args], {
    // This shell's own TEMPORAL_* variables may mean another server.
    extendEnv: false,
    env: { ...systemCertificates(), ...environment },
    reject: false,
    stdin: "ignore",
    cancelSignal: signal,
  });
  for await (const line of child.iterable({ from: "stderr" })) onLine?.(line);
  const { exitCode, stdout, stderr } = await child;
  signal.throwIfAborted();
  if (!stdout.startsWith("{")) {
    throw new (exitCode === exitCodes.usage ? UsageFailure : Failure)(
      "the workflows could not be replayed",
      "settle what is named above; the settings are those of the deployed workers",
      lastLines(stderr),
    );
  }
  return groupReportSchema.parse(JSON.parse(stdout));
}
