import { z } from "zod";

/** What the worker's client prints of an order: `OrderOutcome` of worker/src/client.ts. */
const outcomeSchema = z.object({
  workflowId: z.string(),
  status: z.enum(["completed", "failed"]),
  durationMs: z.number().optional(),
  failure: z.array(z.string()).optional(),
});

/** How one worker group's workflow ended. */
export interface SmokeOutcome {
  readonly group: string;
  readonly workflowId: string;
  readonly completed: boolean;
  readonly durationMs?: number | undefined;
  /** The failure and its causes, outermost first. */
  readonly failure: readonly string[];
}

/** Reads the client's last line; undefined if it is no outcome. */
export function outcomeOf(group: string, stdout: string): SmokeOutcome | undefined {
  const line = stdout.trim().split("\n").at(-1) ?? "";
  if (!line.startsWith("{")) return undefined;
  const { success, data } = outcomeSchema.safeParse(JSON.parse(line));
  if (!success) return undefined;
  const { workflowId, status, durationMs, failure = [] } = data;
  return { group, workflowId, completed: status === "completed", durationMs, failure };
}

/** Renders outcomes for the terminal. */
export const renderOutcomes = (outcomes: readonly SmokeOutcome[]): string =>
  outcomes
    .flatMap(({ group, workflowId, completed, durationMs, failure }) => [
      completed
        ? `${group}: ${workflowId} completed in ${((durationMs ?? 0) / 1000).toFixed(2)} s`
        : `${group}: ${workflowId} FAILED`,
      ...failure.map((line, depth) => `${"  ".repeat(depth + 1)}${line}`),
    ])
    .join("\n");
