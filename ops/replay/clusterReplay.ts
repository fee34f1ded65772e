import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { CoreV1Api, KubeConfig, V1ContainerStatus, V1Pod } from "@kubernetes/client-node";
import { exitCodes } from "../../common/exitCodes";
import { Failure, lastLines } from "../../common/failure";
import { UsageFailure } from "../../common/usageFailure";
import { LiveObjects } from "../drift/live";
import type { WorkerGroup } from "../stack/workerConnection";
import { replayJob } from "./replayJob";
import { type GroupReport, reportIn } from "./replayReport";

const POLL_MS = 1_000;
/** An autoscaler may have to bring a node first. */
const START_MS = 600_000;
/** No repetition mends these; an image is pulled several times before it backs off. */
const HOPELESS = /^(ImagePullBackOff|InvalidImageName|CreateContainerConfigError|CreateContainerError)$/;

/** What replays in the cluster. */
export interface ClusterReplay {
  /** By digest. */
  readonly image: string;
  /** The group's replay command with its arguments. */
  readonly command: readonly string[];
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
}

interface Ended {
  readonly exitCode: number;
  readonly log: string;
}

/**
 * Replays a worker group's open workflows with an image, in a Job beside the group's pods: whatever the group is given
 * to reach Temporal and to read payloads holds for it, too. The Job is deleted in the end.
 *
 * @throws UsageFailure when the command says that settings or arguments are wrong; Failure when it does not come to run
 *   or gives no report
 */
export async function replayInCluster(
  config: KubeConfig,
  group: WorkerGroup & { readonly name: string },
  { image, command, onLine, signal }: ClusterReplay,
): Promise<Omit<GroupReport, "group">> {
  const client = await import("@kubernetes/client-node");
  const { namespace } = group;
  const batch = config.makeApiClient(client.BatchV1Api);
  const objects = new LiveObjects(config);
  const metadata = { name: group.deployment, namespace };
  const deployed = await objects.read({ apiVersion: "apps/v1", kind: "Deployment", metadata });
  const name = `replay-${group.name}-${randomBytes(4).toString("hex")}`;
  await objects.create(replayJob(deployed, { name, namespace, image, command }));
  try {
    const ended = await awaitEnd(config.makeApiClient(client.CoreV1Api), { name, namespace }, onLine, signal);
    const report = reportIn(ended.log);
    if (report !== undefined) return report;
    throw new (ended.exitCode === exitCodes.usage ? UsageFailure : Failure)(
      `the workflows of ${group.name} could not be replayed: ${command.join(" ")} of ${image} ended with ${ended.exitCode} and without a report`,
      "correct what is named above; what the command has to print is in docs/replay.md, and a group whose image cannot replay says so by workers[].replay.command: []",
      lastLines(ended.log),
    );
  } finally {
    await batch.deleteNamespacedJob({ name, namespace, propagationPolicy: "Background" });
  }
}

interface JobName {
  readonly name: string;
  readonly namespace: string;
}

async function awaitEnd(
  core: CoreV1Api,
  { name, namespace }: JobName,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<Ended> {
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
          `the replay in job ${namespace}/${name} does not start: ${reason ?? whyNotYet(pod)}`,
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

function hopeless({ status }: V1Pod): string | undefined {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const found = all.find(({ state }) => HOPELESS.test(state?.waiting?.reason ?? ""))?.state?.waiting;
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
