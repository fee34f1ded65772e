import type { Ended } from "../temporal-client";

/** A duration for people. */
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

/** How a workflow ended, for people: one line, and one for each cause of a failure. */
export function outcomeText(
  outcome: { readonly workflowId: string; readonly durationMs?: number | undefined } & Ended<unknown>,
): string {
  const duration = outcome.durationMs === undefined ? "" : ` in ${seconds(outcome.durationMs)}`;
  const head = `${outcome.workflowId} ${outcome.status}${duration}`;
  return outcome.status === "completed"
    ? `${head}: ${JSON.stringify(outcome.result)}`
    : [head, ...outcome.failure.map((line, depth) => `${"  ".repeat(depth + 1)}${line}`)].join("\n");
}
