import type { Sinks } from "@temporalio/workflow";

/** Header in which Temporal's SDKs hand a W3C trace context on. */
export const TRACE_HEADER = "_tracer-data";

/** A span that ended in a workflow; the times are those of the workflow, in ms since 1970. */
export interface WorkflowSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly startMs: number;
  readonly endMs: number;
  /** What it failed with, outermost first: with messages, and the types alone. */
  readonly failure: { readonly messages: readonly string[]; readonly types: readonly string[] } | undefined;
}

/** Takes spans out of the workflow isolate. */
export interface TracingSinks extends Sinks {
  tracing: { ended(span: WorkflowSpan): void };
}
