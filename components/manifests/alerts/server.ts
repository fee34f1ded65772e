import { SERVER_ROLES } from "../../../settings/temporal";
import { JOBS } from "../podMonitorManifests";
import {
  afterRollout,
  type Alert,
  type AlertSettings,
  countedWithinAnHour,
  countOf,
  MINUTE,
  NO_SYSTEM_NAMESPACE,
  seriesOf,
} from "./alert";

/** Share of failed requests at which a role is ill. */
const ERROR_SHARE = 0.01;
/** Mean seconds of a request to the database: half of what the server's own health check calls a failure. */
const SLOW_PERSISTENCE_SECONDS = 0.25;

const BY_QUEUE = "sum by (temporal_namespace, taskqueue, task_type)";

/** Alerts about the server of the official chart. */
export function serverAlerts({ stack, temporal, monitoring }: AlertSettings): Alert[] {
  if (temporal.mode !== "chart") return [];
  const server = seriesOf(JOBS.server, stack);
  const perService = (metric: string) => `sum by (service_name) (rate(${server(metric)}[5m]))`;
  const queues = (metric: string) => server(metric, NO_SYSTEM_NAMESPACE);
  const { tasks, seconds } = monitoring.backlog;
  return [
    ...SERVER_ROLES.map((role): Alert => ({
      name: "TemporalRoleDown",
      severity: "critical",
      summary: `No pod of the server's ${role} role answers Prometheus`,
      forSeconds: 2 * MINUTE,
      labels: { role },
      expr: `${countOf(`${server("up", `role="${role}"`)} == 1`)} == 0`,
    })),
    {
      name: "TemporalShardsUnowned",
      severity: "critical",
      summary: "Some history shards have no owner: their workflows stand still",
      forSeconds: 5 * MINUTE,
      expr: `sum(${server("numshards_gauge")}) < ${String(temporal.historyShards)}`,
    },
    {
      name: "TemporalTasksInDlq",
      severity: "critical",
      summary: "Internal tasks were given up: their workflows stand still",
      forSeconds: 0,
      expr: `sum by (task_category) (${countedWithinAnHour(server("dlq_writes"))}) > 0 or sum by (task_category) (${server("dlq_message_count")}) > 0`,
    },
    {
      name: "TemporalDeadlockSuspected",
      severity: "critical",
      summary: "A server pod suspects a deadlock in itself",
      forSeconds: MINUTE,
      expr: `max by (pod) (${server("dd_current_suspected_deadlocks")}) > 0`,
    },
    {
      name: "TemporalServerErrors",
      severity: "warning",
      summary: "A server role answers more than 1 % of requests with unexpected errors",
      forSeconds: afterRollout(temporal.rolloutTimeoutSeconds, 10 * MINUTE),
      expr: `${perService("service_errors")} / ${perService("service_requests")} > ${String(ERROR_SHARE)}`,
    },
    {
      name: "TemporalRequestsThrottled",
      severity: "warning",
      summary: "The frontend refuses requests because of a limit",
      forSeconds: 5 * MINUTE,
      // A workflow with too many signals at once is its own business.
      expr: `sum by (temporal_namespace, operation, resource_exhausted_cause) (rate(${server("service_errors_resource_exhausted", 'service_name="frontend"', 'resource_exhausted_cause!="BusyWorkflow"')}[5m])) > 0`,
    },
    {
      name: "TemporalPersistenceErrors",
      severity: "critical",
      summary: "More than 1 % of the requests to Postgres fail",
      forSeconds: 5 * MINUTE,
      expr: `${perService("persistence_errors")} / ${perService("persistence_requests")} > ${String(ERROR_SHARE)}`,
    },
    {
      name: "TemporalPersistenceSlow",
      severity: "warning",
      summary: "Requests to Postgres take more than 250 ms on average",
      forSeconds: 10 * MINUTE,
      expr: `${perService("persistence_latency_sum")} / ${perService("persistence_latency_count")} > ${String(SLOW_PERSISTENCE_SECONDS)}`,
    },
    {
      name: "TemporalTasksWithoutWorkers",
      severity: "critical",
      summary: "Tasks wait in a queue that no worker polls",
      forSeconds: 5 * MINUTE,
      // The server forgets an idle queue after five minutes, its waiting tasks included: hence the hour.
      expr: `${BY_QUEUE} (increase(${queues("no_poller_tasks")}[1h])) > 0 unless ${BY_QUEUE} (rate(${server("poll_success")}[5m])) > 0 unless ${BY_QUEUE} (rate(${server("poll_timeouts")}[5m])) > 0`,
    },
    {
      name: "TemporalBacklog",
      severity: "critical",
      summary: `More than ${String(tasks)} tasks wait in a queue, and they do not get fewer`,
      forSeconds: 10 * MINUTE,
      expr: `${BY_QUEUE} (${queues("approximate_backlog_count")}) > ${String(tasks)} and deriv(${BY_QUEUE} (${queues("approximate_backlog_count")})[15m:1m]) >= 0`,
    },
    {
      name: "TemporalBacklogOld",
      severity: "critical",
      summary: `The oldest task of a queue has waited for more than ${String(seconds)} seconds`,
      forSeconds: 5 * MINUTE,
      expr: `max by (temporal_namespace, taskqueue, task_type) (${queues("approximate_backlog_age_seconds")}) > ${String(seconds)}`,
    },
    {
      name: "TemporalScheduleMissed",
      severity: "warning",
      summary: "A schedule missed a start for longer than its catch-up window",
      forSeconds: 0,
      expr: `sum by (temporal_namespace) (${countedWithinAnHour(server("schedule_missed_catchup_window"))}) > 0`,
    },
  ];
}
