import { DefaultLogger } from "@temporalio/worker";
import type { LogLevel, Logger as SdkLogger } from "@temporalio/worker";
import { pino } from "pino";
import type { DestinationStream, Logger } from "pino";
import { redactFields, redactText } from "./redaction";

export type { Logger };

const LEVELS = {
  TRACE: "trace",
  DEBUG: "debug",
  INFO: "info",
  WARN: "warn",
  ERROR: "error",
} as const satisfies Record<LogLevel, string>;

export type LoggerLevel = (typeof LEVELS)[LogLevel];

/** One name for what workflows, activities and the SDK's core each spell in their own way. */
const FIELD_NAMES: Readonly<Record<string, string>> = {
  workflowRunId: "runId",
  run_id: "runId",
  workflow_id: "workflowId",
  workflow_type: "workflowType",
  task_queue: "taskQueue",
  activity_id: "activityId",
  activity_type: "activityType",
};

/**
 * One JSON object per line, without secrets (see {@link redactFields}).
 *
 * @param destination default: standard output, written synchronously, so that nothing is lost at exit
 */
export function createLogger(
  level: LoggerLevel,
  bindings: Readonly<Record<string, string>> = {},
  destination: DestinationStream = pino.destination({ fd: 1, sync: true }),
): Logger {
  return pino(
    {
      level,
      base: bindings,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redactFields },
      // Pino would serialize `err` before the redaction sees an error.
      serializers: { err: (error: unknown) => error },
      hooks: { streamWrite: redactText },
    },
    destination,
  );
}

function withCommonNames(meta: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(meta).map(([name, value]) => [FIELD_NAMES[name] ?? name, value]));
}

/** The SDK's view of our logger: worker, workflow and core lines all end up in it. */
export function sdkLogger(logger: Logger): SdkLogger {
  return new DefaultLogger("TRACE", ({ level, message, meta }) =>
    logger[LEVELS[level]](withCommonNames(meta ?? {}), message),
  );
}
