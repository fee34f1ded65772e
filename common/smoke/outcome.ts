import { z } from "zod";

/** What the worker's client prints of a workflow: `ExecutionOutcome` of worker/src/execution.ts. */
const outcomeSchema = z.object({
  workflowId: z.string(),
  status: z.enum(["completed", "failed"]),
  durationMs: z.number(),
  result: z.unknown().optional(),
  failure: z.array(z.string()).default([]),
});

/** How the workflow of one worker group ended. */
export interface SmokeOutcome {
  readonly group: string;
  readonly workflowId: string;
  readonly taskQueue: string;
  readonly completed: boolean;
  readonly durationMs: number;
  readonly result?: unknown;
  /** The failure and its causes, outermost first. */
  readonly failure: readonly string[];
}

/** A worker group for which the settings name no workflow. */
export interface NotVerified {
  readonly group: string;
  readonly notVerified: true;
}

/** What a smoke test says of one worker group. */
export type GroupVerdict = SmokeOutcome | NotVerified;

/** Reads the client's last line; undefined if it is no outcome. */
export function outcomeOf(
  { group, taskQueue }: Pick<SmokeOutcome, "group" | "taskQueue">,
  stdout: string,
): SmokeOutcome | undefined {
  const line = stdout.trim().split("\n").at(-1) ?? "";
  if (!line.startsWith("{")) return undefined;
  const { success, data } = outcomeSchema.safeParse(JSON.parse(line));
  if (!success) return undefined;
  const { status, ...ended } = data;
  return { group, taskQueue, ...ended, completed: status === "completed" };
}

/** The groups whose workflow did not complete. */
export const failedOf = (verdicts: readonly GroupVerdict[]): SmokeOutcome[] =>
  verdicts.flatMap((verdict) => ("notVerified" in verdict || verdict.completed ? [] : [verdict]));

/** What to do about groups of which nothing is known, and about workflows that nobody could run. */
export const OTHER_WORKFLOW =
  "an image without the sample's workflow `canary` names a harmless one of its own in temporal-stack:smoke.workflow, or workers[].smoke.workflow";

/** Renders verdicts for the terminal. */
export const renderVerdicts = (verdicts: readonly GroupVerdict[]): string =>
  verdicts.flatMap(linesOf).join("\n");

function linesOf(verdict: GroupVerdict): string[] {
  const { group } = verdict;
  if ("notVerified" in verdict) {
    return [`${group}: NOT VERIFIED: the settings name no workflow for it (smoke.enabled, smoke.taskQueue)`];
  }
  const { workflowId, completed, durationMs, failure } = verdict;
  return completed
    ? [`${group}: ${workflowId} completed in ${(durationMs / 1000).toFixed(2)} s`]
    : [`${group}: ${workflowId} FAILED`, ...failureLines(failure)];
}

/** The causes, each deeper than what it caused, and the way out where no worker could run the workflow. */
export const failureLines = (failure: readonly string[]): string[] => [
  ...failure.map((line, depth) => `${"  ".repeat(depth + 1)}${line}`),
  ...(failure.some((line) => line.startsWith("TimeoutFailure")) ? [`  → ${OTHER_WORKFLOW}`] : []),
];
