import type { MonitoringResourcesSettings } from "../../../settings/monitoring";
import type { Settings } from "../../../settings/settings";

/** Who is called: `critical` at any hour, `warning` in working hours, `none` nobody. */
export type Severity = "critical" | "warning" | "none";

/** A condition that somebody should know of, before it is a rule of Prometheus. */
export interface Alert {
  /** Also the title of its section in docs/alerts.md. Several rules may share it, told apart by labels. */
  readonly name: string;
  readonly severity: Severity;
  /** One sentence for whoever is called. */
  readonly summary: string;
  readonly expr: string;
  /** Seconds for which it must hold. */
  readonly forSeconds: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A series that Prometheus computes and keeps. */
export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

/** What the alerts of a stack depend on. */
export interface AlertSettings extends Pick<Settings, "stack" | "temporal" | "postgres" | "workers"> {
  readonly monitoring: MonitoringResourcesSettings;
}

/** Spells a selector of one job's series: `series("up", 'role="history"')`. */
export type Series = (metric: string, ...matchers: readonly string[]) => string;

/** The series of the pods of one kind in one stack. */
export const seriesOf =
  (job: string, stack: string): Series =>
  (metric, ...matchers) =>
    `${metric}{${[`job="${job}"`, `stack="${stack}"`, ...matchers].join(",")}}`;

/** Leaves out the server's own namespace, whose spelling depends on the server's metrics framework. */
export const NO_SYSTEM_NAMESPACE = 'temporal_namespace!~"temporal.system"';

/** How many series are there: 0, and not nothing, where there is none. */
export const countOf = (series: string): string => `(count(${series}) or vector(0))`;

/**
 * Whether a counter has counted within an hour. `increase()` alone does not see the first event, as a counter does not
 * exist before it.
 */
export const countedWithinAnHour = (counter: string): string =>
  `((${counter} unless ${counter} offset 1h) or increase(${counter}[1h]))`;

export const MINUTE = 60;

/** Longer than a rollout takes, for what a rollout causes. */
export const afterRollout = (rolloutSeconds: number, leastSeconds: number): number =>
  Math.max(leastSeconds, rolloutSeconds + MINUTE);
