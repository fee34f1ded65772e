import type { LogLevel } from "@temporalio/worker";
import { pino } from "pino";
import type { DestinationStream, Logger } from "pino";
import { fieldRedaction, redactText } from "./redaction";

export type { Logger };

/** Our levels by the SDK's. */
export const LEVELS = {
  TRACE: "trace",
  DEBUG: "debug",
  INFO: "info",
  WARN: "warn",
  ERROR: "error",
} as const satisfies Record<LogLevel, string>;

export type LoggerLevel = (typeof LEVELS)[LogLevel];

/**
 * One JSON object per line, without secrets (see {@link fieldRedaction}).
 *
 * @param destination default: standard output, written synchronously, so that nothing is lost at exit
 * @param options `failureMessages`: whether errors are written with their messages; default true
 */
export function createLogger(
  level: LoggerLevel,
  bindings: Readonly<Record<string, string>> = {},
  destination: DestinationStream = pino.destination({ fd: 1, sync: true }),
  { failureMessages = true }: { readonly failureMessages?: boolean } = {},
): Logger {
  return pino(
    {
      level,
      base: bindings,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: fieldRedaction(failureMessages) },
      // Pino would serialize `err` before the redaction sees an error.
      serializers: { err: (error: unknown) => error },
      hooks: { streamWrite: redactText },
    },
    destination,
  );
}
