import { setTimeout as delay } from "node:timers/promises";
import { trace } from "@opentelemetry/api";
import type { Span } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { ExportResultCode } from "@opentelemetry/core";
import type { ExportResult } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { envDetectorSync, Resource } from "@opentelemetry/resources";
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace-base";
import type { ReadableSpan, SpanExporter, SpanProcessor } from "@opentelemetry/sdk-trace-base";
import { OpenTelemetryWorkflowClientInterceptor } from "@temporalio/interceptors-opentelemetry/lib/client";
import {
  makeWorkflowExporter,
  OpenTelemetryActivityInboundInterceptor,
} from "@temporalio/interceptors-opentelemetry/lib/worker";
import type { ActivityInterceptorsFactory, InjectedSinks, WorkerOptions } from "@temporalio/worker";
import type { OpenTelemetrySinks } from "@temporalio/interceptors-opentelemetry/lib/workflow/definitions";
import type { TracingConfig } from "../tracing";
import { spanFields } from "./span-fields";

/** Told once when spans begin to be lost, and once when they arrive again. */
export interface ExportListener {
  onExportLost(error: unknown): void;
  onExportRestored(lostSpans: number): void;
}

/** Least and longest time for the last spans to be sent, in ms. */
const FLUSH_MS = { min: 500, max: 5000 };

/** Attributes of workflow spans; the rest of what the SDK hands over holds memos and results of earlier runs. */
const WORKFLOW_ATTRIBUTES =
  /^(temporal|run_id$|namespace$|taskQueue$|workflowId$|runId$|workflowType$|attempt$)/;

/**
 * Traces of this process, from its client's calls through workflows to activities. Where spans go, and how they get
 * there, the exporter takes from the `OTEL_EXPORTER_OTLP_*` and `OTEL_BSP_*` variables itself.
 */
export class Tracing {
  private readonly processor: SpanProcessor;
  private readonly provider: BasicTracerProvider;

  constructor(config: TracingConfig, resource: Readonly<Record<string, string>>, listener: ExportListener) {
    this.processor = new BatchSpanProcessor(new ReportingExporter(new OTLPTraceExporter(), listener));
    this.provider = new BasicTracerProvider({
      resource: new Resource(resource).merge(envDetectorSync.detect()),
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(config.sampleRatio) }),
      spanProcessors: [this.processor],
    });
    this.provider.register({ contextManager: new AsyncLocalStorageContextManager() });
  }

  clientInterceptors(): { workflow: [OpenTelemetryWorkflowClientInterceptor] } {
    return { workflow: [new OpenTelemetryWorkflowClientInterceptor()] };
  }

  /** What a worker needs beside the interceptors in its bundle. */
  workerOptions(): Pick<WorkerOptions, "interceptors" | "sinks"> {
    const sinks: InjectedSinks<OpenTelemetrySinks> = {
      exporter: makeWorkflowExporter(new WorkflowSpans(this.processor), this.provider.resource),
    };
    return { sinks, interceptors: { activity: [traceActivity] } };
  }

  /**
   * Sends what is left.
   *
   * @param withinMs time for it; at least 500 ms and at most 5 s are taken
   */
  async stop(withinMs: number): Promise<void> {
    const timer = new AbortController();
    const deadline = Math.min(Math.max(withinMs, FLUSH_MS.min), FLUSH_MS.max);
    await Promise.race([
      this.provider.shutdown().catch(() => undefined),
      delay(deadline, undefined, { signal: timer.signal }).catch(() => undefined),
    ]);
    timer.abort();
  }
}

/** Log lines name the span, also those that the SDK writes after it has ended. */
const traceActivity: ActivityInterceptorsFactory = (context) => {
  const traced = new OpenTelemetryActivityInboundInterceptor(context);
  let own: Span | undefined;
  return {
    inbound: {
      execute: (input, next) =>
        traced.execute(input, (inner) => {
          own = trace.getActiveSpan();
          return next(inner);
        }),
    },
    outbound: {
      getLogAttributes: (input, next) => next({ ...input, ...spanFields(trace.getActiveSpan() ?? own) }),
    },
  };
};

/** Leaves out of the spans of workflows what is not for the eyes of a tracing backend. */
class WorkflowSpans implements SpanProcessor {
  constructor(private readonly next: SpanProcessor) {}

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    const attributes = Object.fromEntries(
      Object.entries(span.attributes).filter(([name]) => WORKFLOW_ATTRIBUTES.test(name)),
    );
    this.next.onEnd({ ...span, attributes });
  }

  forceFlush(): Promise<void> {
    return this.next.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.next.shutdown();
  }
}

/** An exporter whose failures are told once, not with every batch. */
class ReportingExporter implements SpanExporter {
  private lostSpans = 0;

  constructor(
    private readonly exporter: SpanExporter,
    private readonly listener: ExportListener,
  ) {}

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.exporter.export(spans, (result) => {
      if (result.code === ExportResultCode.SUCCESS) {
        if (this.lostSpans > 0) this.listener.onExportRestored(this.lostSpans);
        this.lostSpans = 0;
      } else {
        if (this.lostSpans === 0) this.listener.onExportLost(result.error);
        this.lostSpans += spans.length;
      }
      done({ code: ExportResultCode.SUCCESS });
    });
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }
}
