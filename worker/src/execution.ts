import { performance } from "node:perf_hooks";
import { randomUUID } from "node:crypto";
import type { Payload } from "@temporalio/common";
import { decodeOptionalFailureToOptionalError } from "@temporalio/common/lib/internal-non-workflow";
import type { temporal } from "@temporalio/proto";
import { isEncrypted } from "./codec/encryption-codec";
import { causeChain } from "./errors";
import type { Ended, TemporalClient } from "./temporal-client";

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** Beyond the workflow's own time: for the answer to arrive. */
const ANSWER_SECONDS = 10;

/** A workflow by the name of its type, in whatever language its worker is written. */
export interface Execution {
  readonly type: string;
  /** Its arguments, as JSON has them. */
  readonly args: readonly unknown[];
  /** Seconds after which Temporal itself ends the workflow: nothing is left running. */
  readonly timeoutSeconds: number;
  /** Whether the client encrypts payloads: then the worker has to. */
  readonly encrypted: boolean;
}

/** How an execution ended. */
export type ExecutionOutcome = {
  readonly workflowId: string;
  readonly durationMs: number;
} & Ended<unknown>;

/**
 * Starts one workflow and waits for its end.
 *
 * What nobody can run says so only in its history: failures of workflow tasks are added to those of the workflow.
 * Where payloads are encrypted, a result in the clear is a failure.
 *
 * @throws when it cannot be started
 */
export async function execute(
  client: TemporalClient,
  { type, args, timeoutSeconds, encrypted }: Execution,
): Promise<ExecutionOutcome> {
  const workflowId = `${type}-${randomUUID()}`;
  const { workflow, taskQueue } = client;
  const started = performance.now();
  await workflow.start(type, {
    workflowId,
    taskQueue,
    args: [...args],
    workflowExecutionTimeout: timeoutSeconds * 1000,
  });
  const ended = await client.ended<unknown>(workflowId, timeoutSeconds + ANSWER_SECONDS);
  const durationMs = Math.round(performance.now() - started);
  const events = (await workflow.getHandle(workflowId).fetchHistory()).events ?? [];
  if (ended.status === "failed") {
    const tasks = await taskFailures(events, client);
    return { workflowId, durationMs, status: "failed", failure: [...ended.failure, ...tasks] };
  }
  if (encrypted && resultOf(events).some((payload) => !isEncrypted(payload))) {
    const failure = ["NotEncrypted: the worker answered in the clear, although payloads are to be encrypted"];
    return { workflowId, durationMs, status: "failed", failure };
  }
  return { workflowId, durationMs, ...ended };
}

/** Different failures of workflow tasks, oldest first. */
async function taskFailures(
  events: readonly HistoryEvent[],
  { workflow }: TemporalClient,
): Promise<string[]> {
  const { loadedDataConverter } = workflow.options;
  const errors = events.map(({ workflowTaskFailedEventAttributes: failed }) =>
    decodeOptionalFailureToOptionalError(loadedDataConverter, failed?.failure ?? undefined),
  );
  return [...new Set((await Promise.all(errors)).flatMap((error) => (error ? causeChain(error) : [])))];
}

const resultOf = (events: readonly HistoryEvent[]): Payload[] =>
  events.flatMap(
    ({ workflowExecutionCompletedEventAttributes: completed }) => completed?.result?.payloads ?? [],
  );
