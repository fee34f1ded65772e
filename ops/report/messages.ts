import { isRefusal } from "../../components/guards/sentence";
import type { DiagnosticEvent } from "./events";

/** What was said during a preview, by what it means for the reader. */
export interface Messages {
  /** Guards that refuse the change. */
  readonly refusals: readonly string[];
  /** Errors, and what follows from an error or a refusal that is told anyway. */
  readonly errors: { readonly causes: readonly string[]; readonly consequences: readonly string[] };
  readonly warnings: readonly string[];
  /** What could not be found out. */
  readonly unknowns: readonly string[];
}

/** Follows from an error that is told anyway. */
const CONSEQUENCE =
  /^(preview failed|update failed|resource monitor shut down while waiting|failed to register new resource|Running program .* (failed|exited))|^an unhandled error occurred: Program exited/;

/** The SDK says where it was when a guard refused, which is nowhere. */
const WRAPPING = /^error serializing property "[^"]*": /;

const UNKNOWN = /^cannot see |is unreachable|unreachable cluster/;

/** Sorts the diagnostics of a preview, each message once. */
export function sortMessages(diagnostics: readonly DiagnosticEvent[]): Messages {
  const sorted = {
    refusals: new Set<string>(),
    errors: new Set<string>(),
    warnings: new Set<string>(),
    unknowns: new Set<string>(),
  };
  for (const { message, severity } of diagnostics) {
    const text = message.trim().replace(WRAPPING, "");
    if (text === "") continue;
    if (severity === "error") {
      if (isRefusal(text)) sorted.refusals.add(text);
      else sorted.errors.add(text);
    } else if (severity === "warning") {
      (UNKNOWN.test(text) ? sorted.unknowns : sorted.warnings).add(text);
    }
  }
  const errors = [...sorted.errors];
  return {
    refusals: [...sorted.refusals],
    errors: {
      causes: errors.filter((text) => !CONSEQUENCE.test(text)),
      consequences: errors.filter((text) => CONSEQUENCE.test(text)),
    },
    warnings: [...sorted.warnings],
    unknowns: [...sorted.unknowns],
  };
}
