import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { execa } from "execa";
import { WORKER_IMAGE } from "../../settings/stackImages";
import { Failure, lastLines } from "../../common/failure";
import { kubeConfigOf } from "../stack/kubeConfig";
import { reachable } from "../stack/reachable";
import { checkoutCandidate, imageReference, replayScript } from "./candidate";
import { chooseGroups, type Choice, requireDeployed } from "./chooseGroups";
import { replayInCluster } from "./clusterReplay";
import { exitCodes } from "../../common/exitCodes";
import { UsageFailure } from "../../common/usageFailure";
import { type GateReport, type GroupReport, reportIn } from "./replayReport";
import { cliOf } from "../../common/pulumi";
import { type StackOutputs, stackOutputs } from "../../common/stackOutputs";
import { systemCertificates } from "../../common/systemCertificates";
import { workerConnection } from "../stack/workerConnection";

/** What to replay, and with what. */
export interface GateOptions {
  /** Stack whose open workflows are replayed. */
  readonly stack: string;
  /**
   * Candidates by the name of the image that they are to replace, each a digest of its repository or a reference by
   * digest; default: the checkout, freshly built, for groups of the image that `worker/` is built into.
   */
  readonly images?: Readonly<Record<string, string>> | undefined;
  /** Whether candidates for images that no deployed group runs are left out; default: they are refused. */
  readonly onlyDeployed?: boolean;
  /** Only the workflows of this worker group; default: those of all. */
  readonly group?: string | undefined;
  /** Histories of each worker group, spread over all start times, at least one of each type; default: all. */
  readonly sample?: number | undefined;
  /** List filter that narrows the workflows down; default: all that are open. */
  readonly query?: string | undefined;
  /** Told what happens. */
  readonly onLine?: (line: string) => void;
  /** Aborting it ends the replay; what was written or made is removed. */
  readonly signal?: AbortSignal;
}

type Group = StackOutputs["workers"][number];
type Watched = Required<Pick<GateOptions, "onLine" | "signal">>;
type Replayed = Omit<GroupReport, "group">;

/**
 * Replays the workflows that are open in a stack's Temporal namespaces with the workflows of candidates: a build
 * that is to be deployed, or the images that a rollback goes back to. Neither stack nor workflows are changed.
 *
 * An image replays in the cluster, as its group's own pod would; the checkout on this machine. A group about which no
 * candidate says anything is reported as unchecked.
 *
 * @throws UsageFailure when arguments, settings or the stack are wrong; Failure when the gate gets no answer
 */
export async function replayGate(options: GateOptions): Promise<GateReport> {
  const { stack, onLine = () => undefined, signal = new AbortController().signal } = options;
  const cli = cliOf(stack);
  const outputs = await stackOutputs(cli);
  const candidates = references(options.images ?? {}, outputs);
  if (options.onlyDeployed !== true) requireDeployed(outputs.workers, candidates);
  const chosen = chooseGroups(outputs.workers, options.group, candidates);
  const config = await kubeConfigOf(cli, outputs.kubernetesContext);
  const args = replayArguments(options);
  const groups: GroupReport[] = [];
  let checkout: string | undefined;
  for (const { group, command, image } of chosen.filter(isChecked)) {
    onLine(`replaying the open workflows of ${group.name}`);
    if (image === undefined) {
      checkout ??= await builtCheckout({ onLine, signal });
      const report = await replayCheckout(config, group, [checkout, ...args], { onLine, signal });
      groups.push({ group: group.name, ...report });
    } else {
      const run = { image, command: [...command, ...args], onLine, signal };
      groups.push({ group: group.name, ...(await replayInCluster(config, group, run)) });
    }
  }
  return {
    stack,
    candidate: describe(candidates),
    groups,
    uncheckedGroups: chosen.flatMap((choice) =>
      isChecked(choice) ? [] : [{ group: choice.group.name, reason: choice.notChecked }],
    ),
  };
}

type Checked = Exclude<Choice<Group>, { readonly notChecked: string }>;

const isChecked = (choice: Choice<Group>): choice is Checked => !("notChecked" in choice);

/** Candidates by digest, in the repositories of the images that they are to replace. */
function references(
  images: Readonly<Record<string, string>>,
  { workers, workerImage }: StackOutputs,
): Record<string, string> {
  const deployed = new Map([[WORKER_IMAGE, workerImage]]);
  for (const { image } of workers) if (image !== undefined) deployed.set(image.name, image.reference);
  return Object.fromEntries(
    Object.entries(images).map(([name, reference]) => [name, imageReference(reference, deployed.get(name))]),
  );
}

function describe(candidates: Readonly<Record<string, string>>): string {
  const [first, ...others] = Object.entries(candidates);
  if (first === undefined) return "this checkout";
  return others.length === 0 ? first[1] : [first, ...others].map((entry) => entry.join("=")).join(", ");
}

function replayArguments({ sample, query }: GateOptions): string[] {
  return [
    ...(sample === undefined ? [] : ["--sample", String(sample)]),
    ...(query === undefined ? [] : ["--query", query]),
  ];
}

async function builtCheckout({ onLine, signal }: Watched): Promise<string> {
  onLine("building the workflows of this checkout");
  return replayScript(await checkoutCandidate(signal));
}

/** Replays on this machine, with what the group's Deployment is given to reach Temporal and to read payloads. */
async function replayCheckout(
  config: KubeConfig,
  group: Group,
  command: readonly string[],
  watched: Watched,
): Promise<Replayed> {
  const folder = await mkdtemp(join(tmpdir(), "temporal-stack-replay-"));
  try {
    const own = await workerConnection(config, group, folder);
    return await reachable(config, own, (environment) => replayHere(command, environment, watched));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function replayHere(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
  { onLine, signal }: Watched,
): Promise<Replayed> {
  const child = execa(process.execPath, [...command], {
    // This shell's own TEMPORAL_* variables may mean another server.
    extendEnv: false,
    env: { ...systemCertificates(), ...environment },
    reject: false,
    stdin: "ignore",
    cancelSignal: signal,
  });
  for await (const line of child.iterable({ from: "stderr" })) onLine(line);
  const { exitCode, stdout, stderr } = await child;
  signal.throwIfAborted();
  const report = reportIn(stdout);
  if (report !== undefined) return report;
  throw new (exitCode === exitCodes.usage ? UsageFailure : Failure)(
    "the workflows could not be replayed",
    "settle what is named above; the settings are those of the deployed workers",
    lastLines(stderr),
  );
}
