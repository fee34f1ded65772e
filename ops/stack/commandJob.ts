import { setTimeout as delay } from "node:timers/promises";
import type { CoreV1Api, KubeConfig, V1ContainerStatus, V1Pod } from "@kubernetes/client-node";
import { Failure } from "../../common/failure";
import { neverStarts } from "./neverStarts";

const POLL_MS = 1_000;
/** An autoscaler may have to bring a node first. */
const START_MS = 600_000;

/** How the first container of a Job's pod ended. */
export interface JobEnd {
  readonly exitCode: number;
  readonly log: string;
}

/** The Job of a command. */
export interface CommandJob {
  readonly manifest: { readonly metadata: { readonly name: string; readonly namespace: string } };
  /** For people: what it is. */
  readonly what: string;
  /** Receives the last line of its log while it runs. */
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs a Job with one pod until the first container of that has ended. The Job is deleted whatever happens.
 *
 * @param create makes the Job
 * @throws Failure when it does not start
 */
export async function runJob<Job extends CommandJob["manifest"]>(
  config: KubeConfig,
  create: (manifest: Job) => Promise<void>,
  job: CommandJob & { readonly manifest: Job },
): Promise<JobEnd> {
  const { BatchV1Api, CoreV1Api } = await import("@kubernetes/client-node");
  const { name, namespace } = job.manifest.metadata;
  await create(job.manifest);
  try {
    return await awaitEnd(config.makeApiClient(CoreV1Api), job);
  } finally {
    await config
      .makeApiClient(BatchV1Api)
      .deleteNamespacedJob({ name, namespace, propagationPolicy: "Background" });
  }
}

async function awaitEnd(core: CoreV1Api, { manifest, what, onLine, signal }: CommandJob): Promise<JobEnd> {
  const { name, namespace } = manifest.metadata;
  const giveUpAt = Date.now() + START_MS;
  for (;;) {
    signal.throwIfAborted();
    const { items } = await core.listNamespacedPod({ namespace, labelSelector: `job-name=${name}` });
    const [pod] = items;
    const status = pod === undefined ? undefined : commandStatus(pod);
    const podName = pod?.metadata?.name ?? "";
    const container = pod?.spec?.containers[0]?.name ?? "";
    const read = (tailLines?: number) =>
      core.readNamespacedPodLog({
        ...{ name: podName, namespace, container },
        ...(tailLines === undefined ? {} : { tailLines }),
      });
    const terminated = status?.state?.terminated;
    if (terminated !== undefined) return { exitCode: terminated.exitCode, log: await read() };
    if (status?.state?.running !== undefined) {
      const line = (await read(1)).trim();
      if (line !== "" && !line.startsWith("{")) onLine(line);
    } else {
      const reason = pod === undefined ? undefined : hopeless(pod);
      if (reason !== undefined || pod?.status?.phase === "Failed" || Date.now() > giveUpAt) {
        throw new Failure(
          `the ${what} in job ${namespace}/${name} does not start: ${reason ?? whyNotYet(pod)}`,
          "correct what is named above, then run the command again; nothing was changed",
        );
      }
    }
    await delay(POLL_MS, undefined, { signal });
  }
}

/** Of the one container that replays: sidecars go on until it has ended. */
const commandStatus = ({ spec, status }: V1Pod): V1ContainerStatus | undefined =>
  status?.containerStatuses?.find(({ name }) => name === spec?.containers[0]?.name);

function hopeless(pod: V1Pod): string | undefined {
  const found = neverStarts(pod);
  return found === undefined ? undefined : `${found.reason ?? ""} ${found.message ?? ""}`.trim();
}

function whyNotYet(pod: V1Pod | undefined): string {
  if (pod === undefined) return "it has no pod; kubectl describe job tells why";
  const { status } = pod;
  const unmet = status?.conditions?.find(
    ({ status: met, message }) => met === "False" && message !== undefined,
  );
  return status?.message ?? unmet?.message ?? `its pod is ${status?.phase ?? "nowhere"}`;
}
