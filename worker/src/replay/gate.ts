import { mapAhead, OpenWorkflows, openWorkflowsFilter, sampler } from "./open-workflows";
import type { NativeConnection } from "@temporalio/worker";
import type { Replayer } from "./replayer";
import type { OpenWorkflow, ReplayReport, Verdict } from "./report";

/** Histories held at a time besides the one that is replayed; a server lets each grow to 50 MB. */
const FETCHED_AHEAD = 3;

/** What to replay, and with what. */
export interface GateOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueues: readonly string[];
  readonly replayer: Pick<Replayer, "replay">;
  /** Version of the SDK that bundled the workflows. */
  readonly sdkVersion: string;
  /** List filter that narrows the workflows down; default: all that are open. */
  readonly query?: string | undefined;
  /** Histories to replay, spread over all start times, and at least one of each type; default: all. */
  readonly sample?: number | undefined;
  readonly onProgress?: (replayed: number, total: number) => void;
}

/**
 * Replays the histories of the open workflows of some task queues. Workflows that end meanwhile are replayed to
 * their end; nothing is changed at the server.
 *
 * @throws QueryError when the server does not understand the query; what the connection or the replay throws
 */
export async function replayOpenWorkflows(options: GateOptions): Promise<ReplayReport> {
  const { namespace, taskQueues, replayer, sdkVersion, onProgress } = options;
  const source = new OpenWorkflows(
    options.connection,
    namespace,
    openWorkflowsFilter(taskQueues, options.query),
  );
  const expected = await source.count();
  const sample = options.sample ?? expected;
  const isChosen = options.sample === undefined ? () => true : sampler(sample, expected);

  let [open, notSampled, gone, compatible] = [0, 0, 0, 0];
  const incompatible: ReplayReport["incompatible"][number][] = [];
  const unchecked: ReplayReport["unchecked"][number][] = [];
  async function* chosen(): AsyncGenerator<OpenWorkflow> {
    for await (const workflow of source.list()) {
      open += 1;
      if (isChosen(workflow)) yield workflow;
      else notSampled += 1;
    }
  }
  const record = (workflow: OpenWorkflow, verdict: Verdict): void => {
    if (verdict.outcome === "incompatible") incompatible.push({ ...workflow, ...verdict.breakage });
    else if (verdict.outcome === "unchecked") unchecked.push({ ...workflow, reason: verdict.reason });
    else compatible += 1;
  };

  let replayed = 0;
  const histories = mapAhead(chosen(), FETCHED_AHEAD, async (workflow) => ({
    workflow,
    history: await source.history(workflow),
  }));
  for await (const { workflow, history } of histories) {
    if (history === undefined) gone += 1;
    else record(workflow, await replayer.replay(workflow.workflowId, history));
    onProgress?.((replayed += 1), sample);
  }
  return {
    ...{ sdkVersion, namespace, taskQueues, open, notSampled, gone, compatible },
    ...{ incompatible, unchecked },
  };
}
