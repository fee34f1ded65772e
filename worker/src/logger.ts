import type { LogLevel } from "@temporalio/worker";
import { pino } from "pino";
import type { DestinationStream, Logger } from "pino";
import { causeChain } from "./errors";

export type { Logger };

/** On a task that cannot be decoded the SDK logs the whole task, payloads included. */
const REDACTED = ["task", "taskEncoded", "taskToken", "apiKey", "*.apiKey"];

/** Our levels by the SDK's. */
export const LEVELS = {
  TRACE: "trace",
  DEBUG: "debug",
  INFO: "info",
  WARN: "warn",
  ERROR: "error",
} as const satisfies Record<LogLevel, string>;

export type LoggerLevel = (typeof LEVELS)[LogLevel];

/** Failures carry their payloads as properties; only what describes them may reach the log. */
function describe(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const [type, ...causes] = causeChain(error);
  return { type, stack: error.stack, ...(causes.length === 0 ? {} : { causes }) };
}

/**
 * One JSON object per line.
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
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED, remove: true },
      serializers: { error: describe, err: describe },
    },
    destination,
  );
}
