import type { Payload, PayloadCodec } from "@temporalio/common";
import { z } from "zod";
import type { RecordedHistory } from "../histories";

/** Attributes of events that a workflow's own code fills, and where in them its payloads are. */
const WRITTEN = [
  "activityTaskScheduledEventAttributes",
  "startChildWorkflowExecutionInitiatedEventAttributes",
  "workflowExecutionUpdateCompletedEventAttributes",
  "workflowExecutionCompletedEventAttributes",
  "workflowExecutionFailedEventAttributes",
  "workflowExecutionContinuedAsNewEventAttributes",
] as const;

const recordedPayload = z.object({ data: z.base64(), metadata: z.record(z.string(), z.string()) });

function* payloadsIn(value: unknown): Generator<string> {
  if (typeof value !== "object" || value === null) return;
  const payload = recordedPayload.safeParse(value);
  if (payload.success) yield comparable(Buffer.from(payload.data.data, "base64"));
  else for (const inner of Object.values(value)) yield* payloadsIn(inner);
}

/** Stack traces are those of the machine, and were not recorded. */
function comparable(data: Uint8Array): string {
  const value: unknown = JSON.parse(Buffer.from(data).toString("utf8"));
  const isFailure = typeof value === "object" && value !== null && "stack_trace" in value;
  return JSON.stringify(isFailure ? { ...value, stack_trace: "" } : value);
}

/** Each once: the input of a local activity stands in no event. */
const sorted = (payloads: readonly string[]): string[] => [...new Set(payloads)].sort();

/** What the workflow wrote when its history was recorded: inputs of activities and children, results and failures. */
export function recordedPayloads({ history }: RecordedHistory): string[] {
  return sorted(history.events.flatMap((event) => WRITTEN.flatMap((name) => [...payloadsIn(event[name])])));
}

/** Keeps what a replayed workflow writes. */
export class WrittenPayloads implements PayloadCodec {
  private written: string[] = [];

  async encode(payloads: Payload[]): Promise<Payload[]> {
    this.written.push(...payloads.map(({ data }) => comparable(data ?? new Uint8Array())));
    return payloads;
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads;
  }

  /** What was written since the last call. */
  take(): string[] {
    const { written } = this;
    this.written = [];
    return sorted(written);
  }
}
