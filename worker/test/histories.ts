import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** Where `npm run histories:record` writes. */
export const HISTORIES = join(__dirname, "histories");

const recordedSchema = z.object({
  workflowId: z.string(),
  history: z.looseObject({ events: z.array(z.looseObject({})).min(1) }),
});

const startedSchema = z.object({
  workflowExecutionStartedEventAttributes: z.object({ workflowType: z.object({ name: z.string() }) }),
});

/** One recorded run of a workflow. */
export interface RecordedHistory extends z.infer<typeof recordedSchema> {
  /** File name without its extension. */
  readonly name: string;
  readonly workflowType: string;
}

/** The recorded histories of all workflows. */
export function recordedHistories(): RecordedHistory[] {
  return readdirSync(HISTORIES).map((file) => {
    const recorded = recordedSchema.parse(JSON.parse(readFileSync(join(HISTORIES, file), "utf8")));
    const { workflowType } = startedSchema.parse(
      recorded.history.events[0],
    ).workflowExecutionStartedEventAttributes;
    return { ...recorded, name: file.replace(/\.json$/, ""), workflowType: workflowType.name };
  });
}
