import type { ExportListener, Tracing } from "./tracing/provider";

export type { Tracing };

/** Settings of tracing. */
export interface TracingConfig {
  /** Share of the traces that begin here and are recorded, 0 to 1. A trace that began elsewhere keeps its decision. */
  readonly sampleRatio: number;
  /** Whether spans hold the messages of failures, beside their types. */
  readonly failureMessages: boolean;
}

/**
 * Starts tracing if it is on. OpenTelemetry's SDK and its exporter are loaded only then: they cost start time and memory.
 *
 * @param config undefined: tracing is off
 * @param resource attributes of every span; `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` win
 * @param listener told once when spans begin to be lost, and once when they arrive again
 */
export async function startTracing(
  config: TracingConfig | undefined,
  resource: Readonly<Record<string, string>>,
  listener: ExportListener,
): Promise<Tracing | undefined> {
  if (config === undefined) return undefined;
  const { Tracing } = await import("./tracing/provider.js");
  return new Tracing(config, resource, listener);
}
