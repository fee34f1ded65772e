import { randomBytes } from "node:crypto";
import type { KubeConfig } from "@kubernetes/client-node";
import { exitCodes } from "../../common/exitCodes";
import { Failure, lastLines } from "../../common/failure";
import { UsageFailure } from "../../common/usageFailure";
import { LiveObjects } from "../drift/live";
import { runJob } from "../stack/commandJob";
import type { WorkerGroup } from "../stack/workerConnection";
import { replayJob } from "./replayJob";
import { type GroupReport, reportIn } from "./replayReport";

/** What replays in the cluster. */
export interface ClusterReplay {
  /** By digest. */
  readonly image: string;
  /** The group's replay command with its arguments. */
  readonly command: readonly string[];
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
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
  const { namespace } = group;
  const objects = new LiveObjects(config);
  const metadata = { name: group.deployment, namespace };
  const deployed = await objects.read({ apiVersion: "apps/v1", kind: "Deployment", metadata });
  const name = `replay-${group.name}-${randomBytes(4).toString("hex")}`;
  const manifest = replayJob(deployed, { name, namespace, image, command });
  const { exitCode, log } = await runJob(config, (job: typeof manifest) => objects.create(job), {
    ...{ manifest, what: "replay", onLine, signal },
  });
  const report = reportIn(log);
  if (report !== undefined) return report;
  throw new (exitCode === exitCodes.usage ? UsageFailure : Failure)(
    `the workflows of ${group.name} could not be replayed: ${command.join(" ")} of ${image} ended with ${exitCode} and without a report`,
    "correct what is named above; what the command has to print is in docs/replay.md, and a group whose image cannot replay says so by workers[].replay.command: []",
    lastLines(log),
  );
}
