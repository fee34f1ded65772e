import {
  OpenTelemetryInboundInterceptor,
  OpenTelemetryInternalsInterceptor,
  OpenTelemetryOutboundInterceptor,
} from "@temporalio/interceptors-opentelemetry/lib/workflow";
import { SpanExporter } from "@temporalio/interceptors-opentelemetry/lib/workflow/span-exporter";
import { trace } from "@opentelemetry/api";
import type { Span } from "@opentelemetry/api";
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  ParentBasedSampler,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace-base";
import { getRandomStream } from "@temporalio/workflow";
import type {
  GetLogAttributesInput,
  Next,
  QueryInput,
  UpdateInput,
  WorkflowExecuteInput,
  WorkflowInboundCallsInterceptor,
  WorkflowInterceptors,
  WorkflowOutboundCallsInterceptor,
} from "@temporalio/workflow";
import { spanFields } from "./span-fields";

/*
 * In every bundle, and always at work: an interceptor more or less changes the order in which a workflow's
 * continuations run, and with it histories. Only the sampling depends on whether tracing is on.
 */

const ratio = globalThis.tracingSampleRatio;

function randomId(bytes: number): string {
  const id = getRandomStream("temporal-stack/tracing").fill(new Uint8Array(bytes));
  return Array.from(id, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const provider = new BasicTracerProvider({
  // Ids from the workflow's own random numbers would shift what the workflow draws from them.
  idGenerator: { generateTraceId: () => randomId(16), generateSpanId: () => randomId(8) },
  sampler:
    ratio === undefined
      ? new AlwaysOffSampler()
      : new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
  spanProcessors: [new SimpleSpanProcessor(new SpanExporter())],
});
const tracer = provider.getTracer("temporal-stack/workflow");

class Inbound extends OpenTelemetryInboundInterceptor {
  protected override readonly tracer = tracer;
  /** The span of the whole run. */
  run: Span | undefined;

  override execute(
    input: WorkflowExecuteInput,
    next: Next<WorkflowInboundCallsInterceptor, "execute">,
  ): Promise<unknown> {
    return super.execute(input, (traced) => {
      this.run = trace.getActiveSpan();
      return next(traced);
    });
  }

  // Queries and validators are not in the history: ids that they draw would be missing on replay.
  override handleQuery(
    input: QueryInput,
    next: Next<WorkflowInboundCallsInterceptor, "handleQuery">,
  ): Promise<unknown> {
    return next(input);
  }

  override validateUpdate(
    input: UpdateInput,
    next: Next<WorkflowInboundCallsInterceptor, "validateUpdate">,
  ): void {
    next(input);
  }
}

class Outbound extends OpenTelemetryOutboundInterceptor {
  protected override readonly tracer = tracer;

  constructor(private readonly inbound: Inbound) {
    super();
  }

  override getLogAttributes(
    input: GetLogAttributesInput,
    next: Next<WorkflowOutboundCallsInterceptor, "getLogAttributes">,
  ): Record<string, unknown> {
    return next(
      ratio !== undefined ? { ...input, ...spanFields(trace.getActiveSpan() ?? this.inbound.run) } : input,
    );
  }
}

export const interceptors = (): WorkflowInterceptors => {
  const inbound = new Inbound();
  return {
    inbound: [inbound],
    outbound: [new Outbound(inbound)],
    internals: [new OpenTelemetryInternalsInterceptor()],
  };
};
