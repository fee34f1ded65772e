import { defaultPayloadConverter } from "@temporalio/common";
import type { Headers } from "@temporalio/common";
import {
  AsyncLocalStorage,
  ContinueAsNew,
  getRandomStream,
  proxySinks,
  workflowInfo,
} from "@temporalio/workflow";
import type { WorkflowInterceptors } from "@temporalio/workflow";
import { causeChain, causeTypes } from "../errors";
import { TRACE_HEADER } from "./workflow-span";
import type { TracingSinks } from "./workflow-span";

/*
 * Tracing must not show in a history, or it could not be switched while workflows run. So nothing here waits, returns
 * another promise than it was given, or draws from the workflow's own random numbers. OpenTelemetry's SDK is not used:
 * each workflow would evaluate its modules anew, which costs half as much CPU time again and 0.4 MiB a workflow.
 */

/** W3C trace context by field: `traceparent`, and what travels with it. */
type Carrier = Readonly<Record<string, string>>;

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly sampled: boolean;
  readonly carrier: Carrier;
  readonly startMs: number;
}

const TRACEPARENT = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})/;
const SAMPLED = 1;

const { tracing } = proxySinks<TracingSinks>();

function randomId(bytes: number): string {
  const id = getRandomStream("tracing").fill(new Uint8Array(bytes));
  return Array.from(id, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A span below the one in a trace context; without one, the first span of a trace. */
function startSpan(name: string, context: Carrier, ratio: number): Span {
  const [, parentTraceId, parentSpanId, flags = ""] = TRACEPARENT.exec(context["traceparent"] ?? "") ?? [];
  const traceId = parentTraceId ?? randomId(16);
  const spanId = randomId(8);
  const sampled =
    parentTraceId === undefined
      ? getRandomStream("tracing").random() < ratio
      : (Number.parseInt(flags, 16) & SAMPLED) !== 0;
  const carrier = { ...context, traceparent: `00-${traceId}-${spanId}-${sampled ? "01" : "00"}` };
  return { name, traceId, spanId, parentSpanId, sampled, carrier, startMs: Date.now() };
}

function endSpan(span: Span, error?: unknown): void {
  if (!span.sampled) return;
  const { name, traceId, spanId, parentSpanId, startMs } = span;
  const failure =
    error === undefined || error instanceof ContinueAsNew
      ? undefined
      : { messages: causeChain(error), types: causeTypes(error) };
  tracing.ended({ name, traceId, spanId, parentSpanId, startMs, endMs: Date.now(), failure });
}

function carrierIn(headers: Headers): Carrier | undefined {
  const payload = headers[TRACE_HEADER];
  return payload === undefined ? undefined : defaultPayloadConverter.fromPayload<Carrier>(payload);
}

function interceptorsFor(ratio: number): WorkflowInterceptors {
  const current = new AsyncLocalStorage<Span>();
  let run: Span | undefined;

  /** A span around a handler that the SDK awaits. */
  const around = <Result>(
    name: string,
    headers: Headers,
    handle: (span: Span) => Promise<Result>,
  ): Promise<Result> => {
    const span = startSpan(name, carrierIn(headers) ?? run?.carrier ?? {}, ratio);
    const handled = current.run(span, () => handle(span));
    handled.then(
      () => endSpan(span),
      (error: unknown) => endSpan(span, error),
    );
    return handled;
  };

  /** A span for the moment of a call; what is called has spans of its own. */
  const call = <Input extends { readonly headers: Headers }>(name: string, input: Input): Input => {
    const span = startSpan(name, (current.getStore() ?? run)?.carrier ?? {}, ratio);
    endSpan(span);
    return {
      ...input,
      headers: { ...input.headers, [TRACE_HEADER]: defaultPayloadConverter.toPayload(span.carrier) },
    };
  };

  return {
    inbound: [
      {
        execute: (input, next) =>
          around(`RunWorkflow:${workflowInfo().workflowType}`, input.headers, (span) => {
            run = span;
            return next(input);
          }),
        handleSignal: (input, next) =>
          around(`HandleSignal:${input.signalName}`, input.headers, () => next(input)),
        handleUpdate: (input, next) => around(`HandleUpdate:${input.name}`, input.headers, () => next(input)),
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(call(`StartActivity:${input.activityType}`, input)),
        scheduleLocalActivity: (input, next) => next(call(`StartActivity:${input.activityType}`, input)),
        startChildWorkflowExecution: (input, next) =>
          next(call(`StartChildWorkflow:${input.workflowType}`, input)),
        signalWorkflow: (input, next) => next(call(`SignalWorkflow:${input.signalName}`, input)),
        continueAsNew: (input, next) => next(call(`ContinueAsNew:${input.options.workflowType}`, input)),
        getLogAttributes: (input, next) => {
          const span = current.getStore() ?? run;
          return next(span === undefined ? input : { ...input, traceId: span.traceId, spanId: span.spanId });
        },
      },
    ],
    internals: [
      {
        dispose: (input, next) => {
          current.disable();
          next(input);
        },
      },
    ],
  };
}

export const interceptors = (): WorkflowInterceptors => {
  const ratio = globalThis.tracingSampleRatio;
  return typeof ratio === "number" ? interceptorsFor(ratio) : {};
};
