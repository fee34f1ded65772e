import { isSpanContextValid } from "@opentelemetry/api";
import type { Span } from "@opentelemetry/api";

/** What ties a log line to a span. */
export function spanFields(span: Span | undefined): Record<string, string> {
  const context = span?.spanContext();
  if (context === undefined || !isSpanContextValid(context)) return {};
  return { traceId: context.traceId, spanId: context.spanId };
}
