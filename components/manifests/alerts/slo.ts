import { JOBS } from "../podMonitorManifests";
import {
  type Alert,
  type AlertSettings,
  MINUTE,
  NO_SYSTEM_NAMESPACE,
  type RecordingRule,
  seriesOf,
  type Severity,
} from "./alert";

const HOUR = 60 * MINUTE;

/**
 * Windows and factors of multi-window burn-rate alerts, as the Kubernetes mixin has them (`config.libsonnet`): at the
 * factor for the long window, 2, 5, 10 and 10 % of a 30 days' budget are gone.
 */
const BURNS: readonly {
  readonly long: string;
  readonly short: string;
  readonly factor: number;
  readonly forSeconds: number;
  readonly severity: Severity;
}[] = [
  { long: "1h", short: "5m", factor: 14.4, forSeconds: 2 * MINUTE, severity: "critical" },
  { long: "6h", short: "30m", factor: 6, forSeconds: 15 * MINUTE, severity: "critical" },
  { long: "1d", short: "2h", factor: 3, forSeconds: HOUR, severity: "warning" },
  { long: "3d", short: "6h", factor: 1, forSeconds: 3 * HOUR, severity: "warning" },
];
const WINDOWS = [...new Set(BURNS.flatMap(({ short, long }) => [short, long]))];

const START_ERRORS = "temporal:start_errors:ratio_rate";
const SLOW_STARTS = "temporal:slow_task_starts:ratio_rate";
const STARTS = 'operation=~"StartWorkflowExecution|SignalWithStartWorkflowExecution|ExecuteMultiOperation"';

/** Share of failed starts and of slow task starts, over each window of the burn-rate alerts. */
export function sloRecords({ stack, temporal, monitoring }: AlertSettings): RecordingRule[] {
  if (temporal.mode !== "chart") return [];
  const server = seriesOf(JOBS.server, stack);
  const threshold = `le="${String(monitoring.slo.scheduleToStart.seconds)}"`;
  return WINDOWS.flatMap((window) => {
    const starts = (metric: string) =>
      `sum by (temporal_namespace) (rate(${server(metric, 'service_name="frontend"', STARTS)}[${window}]))`;
    const tasks = (metric: string, ...matchers: readonly string[]) =>
      `sum by (temporal_namespace, taskqueue, task_type) (rate(${server(metric, ...matchers, NO_SYSTEM_NAMESPACE)}[${window}]))`;
    return [
      {
        record: `${START_ERRORS}${window}`,
        // Without the zero there would be no share before the first error.
        expr: `(${starts("service_errors")} or 0 * ${starts("service_requests")}) / (${starts("service_requests")} > 0)`,
      },
      {
        record: `${SLOW_STARTS}${window}`,
        expr: `1 - ${tasks("task_schedule_to_start_latency_bucket", threshold)} / (${tasks("task_schedule_to_start_latency_count")} > 0)`,
      },
    ];
  });
}

/** Alerts on error budgets that are spent too fast. */
export function sloAlerts({ stack, temporal, monitoring }: AlertSettings): Alert[] {
  if (temporal.mode !== "chart") return [];
  const { start, scheduleToStart } = monitoring.slo;
  return [
    {
      name: "TemporalStartErrorBudgetBurn",
      record: START_ERRORS,
      percent: start.percent,
      summary: "Starts of workflows fail faster than the objective allows",
    },
    {
      name: "TemporalSlowStartBudgetBurn",
      record: SLOW_STARTS,
      percent: scheduleToStart.percent,
      summary: "Tasks wait for workers longer than the objective allows",
    },
  ].flatMap(({ name, record, percent, summary }) =>
    BURNS.map(({ long, short, factor, forSeconds, severity }) => {
      const limit = share(factor * (100 - percent));
      const burns = (window: string) => `${record}${window}{stack="${stack}"} > ${limit}`;
      return {
        name,
        severity,
        summary,
        forSeconds,
        labels: { long, short },
        expr: `${burns(long)} and ${burns(short)}`,
      };
    }),
  );
}

/** Percent as a share, without the noise of binary fractions. */
const share = (percent: number): string => String(Number((percent / 100).toPrecision(6)));
