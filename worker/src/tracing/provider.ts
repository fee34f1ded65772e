import { setTimeout as delay } from "node:timers/promises";
import { SpanKind, SpanStatusCode, trace, TraceFlags } from "@opentelemetry/api";
import type { Span } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { ExportResultCode, millisToHrTime } from "@opentelemetry/core";
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
import { OpenTelemetryActivityInboundInterceptor } from "@temporalio/interceptors-opentelemetry/lib/worker";
import type { ActivityInterceptorsFactory, InjectedSinks, WorkerOptions } from "@temporalio/worker";
import type { WorkflowInfo } from "@temporalio/workflow";
import type { TracingConfig } from "../tracing";
import type { TracingSinks, WorkflowSpan } from "./workflow-span";

/** Told once when spans begin to be lost, and once when they arrive again. */
export interface ExportListener {
  onExportLost(error: unknown): void;
  onExportRestored(lostSpans: number): void;
}

/** Least and longest time for the last spans to be sent, in ms. */
const FLUSH_MS = { min: 500, max: 5000 };

/**
 * Traces of this process, from its client's calls through workflows to activities. Where spans go, and how they get
 * there, the exporter takes from the `OTEL_EXPORTER_OTLP_*` and `OTEL_BSP_*` variables itself.
 */
export class Tracing {
  private readonly processor: SpanProcessor;
  private readonly provider: BasicTracerProvider;

  constructor(
    private readonly config: TracingConfig,
    resource: Readonly<Record<string, string>>,
    listener: ExportListener,
  ) {
    this.processor = new BatchSpanProcessor(
      new ReportingExporter(new OTLPTraceExporter(), listener, config.failureMessages),
    );
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

  /** What a worker needs beside the interceptors in its bundle, for the client of its activities as well. */
  workerOptions(): Pick<WorkerOptions, "interceptors" | "sinks"> {
    const sinks: InjectedSinks<TracingSinks> = {
      tracing: { ended: { fn: (workflow, span) => this.processor.onEnd(this.readable(workflow, span)) } },
    };
    return { sinks, interceptors: { activity: [traceActivity], client: this.clientInterceptors() } };
  }

  private readable(workflow: WorkflowInfo, span: WorkflowSpan): ReadableSpan {
    const { traceId, startMs, endMs } = span;
    const failure = this.config.failureMessages ? span.failure?.messages : span.failure?.types;
    return {
      name: span.name,
      kind: SpanKind.INTERNAL,
      spanContext: () => ({ traceId, spanId: span.spanId, traceFlags: TraceFlags.SAMPLED }),
      ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
      startTime: millisToHrTime(startMs),
      endTime: millisToHrTime(endMs),
      duration: millisToHrTime(endMs - startMs),
      ended: true,
      status:
        failure === undefined
          ? { code: SpanStatusCode.OK }
          : { code: SpanStatusCode.ERROR, message: failure.join(" <- ") },
      // By the names that the spans of clients and activities have.
      attributes: {
        temporalWorkflowId: workflow.workflowId,
        run_id: workflow.runId,
        workflowType: workflow.workflowType,
        taskQueue: workflow.taskQueue,
        namespace: workflow.namespace,
      },
      links: [],
      events: [],
      resource: this.provider.resource,
      instrumentationLibrary: { name: BY_WORKFLOW },
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
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

/** What ties a log line to a span. */
function spanFields(span: Span | undefined): Record<string, string> {
  if (span === undefined) return {};
  const { traceId, spanId } = span.spanContext();
  return { traceId, spanId };
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

/** What OpenTelemetry calls the message of an error, and the stack trace that begins with it. */
const MESSAGES: ReadonlySet<string> = new Set(["exception.message", "exception.stacktrace"]);
const BY_WORKFLOW = "temporal-stack-worker";

/** The spans of clients and activities, which the SDK's interceptors write, hold each error whole. */
function withoutMessages(span: ReadableSpan): ReadableSpan {
  if (span.instrumentationLibrary.name === BY_WORKFLOW) return span;
  const events = span.events.map((event) => ({
    ...event,
    attributes: Object.fromEntries(
      Object.entries(event.attributes ?? {}).filter(([name]) => !MESSAGES.has(name)),
    ),
  }));
  return Object.create(span, {
    status: { value: { code: span.status.code }, enumerable: true },
    events: { value: events, enumerable: true },
  }) as ReadableSpan;
}

/** An exporter whose failures are told once, not with every batch. */
class ReportingExporter implements SpanExporter {
  private lostSpans = 0;

  constructor(
    private readonly exporter: SpanExporter,
    private readonly listener: ExportListener,
    private readonly failureMessages: boolean,
  ) {}

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.exporter.export(this.failureMessages ? spans : spans.map(withoutMessages), (result) => {
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
