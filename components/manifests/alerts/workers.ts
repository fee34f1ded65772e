import { bytesOf } from "../../../settings/quantity";
import { JOBS, monitoredGroups } from "../podMonitorManifests";
import { afterRollout, type Alert, type AlertSettings, countOf, MINUTE, seriesOf } from "./alert";

/** Share of a limit from which little is left. */
const NEARLY_FULL = 0.9;
/** Starts of one pod's process within half an hour that are more than an accident. */
const RESTARTS = 2;

/** Alerts about the worker groups, as far as their programs publish metrics. */
export function workerAlerts(settings: AlertSettings): Alert[] {
  const groups = monitoredGroups(settings);
  if (groups.length === 0) return [];
  const workers = seriesOf(JOBS.workers, settings.stack);
  const failed = (reasons: string) =>
    workers("temporal_workflow_task_execution_failed_total", `failure_reason=~"${reasons}"`);
  return [
    ...groups.flatMap(({ name, replicas, resources, rolloutTimeoutSeconds }): Alert[] => {
      const group = `worker_group="${name}"`;
      const up = `${workers("up", group)} == 1`;
      return [
        {
          name: "TemporalWorkersDown",
          severity: "critical",
          summary: `No pod of worker group ${name} answers Prometheus`,
          forSeconds: 5 * MINUTE,
          labels: { worker_group: name },
          expr: `${countOf(up)} == 0`,
        },
        {
          name: "TemporalWorkersAtMaximum",
          severity: "warning",
          summary: `Worker group ${name} has as many pods as its autoscaler may make`,
          // A rollout has more pods for a while.
          forSeconds: afterRollout(rolloutTimeoutSeconds, 15 * MINUTE),
          labels: { worker_group: name },
          expr: `count(${up}) >= ${String(replicas.max)}`,
        },
        {
          name: "TemporalWorkerMemoryHigh",
          severity: "warning",
          summary: `A pod of worker group ${name} has used 90 % of its heap or of its memory limit`,
          forSeconds: 10 * MINUTE,
          labels: { worker_group: name },
          expr: `max by (pod) (${workers("nodejs_heap_size_used_bytes", group)} / ${workers("nodejs_heap_size_limit_bytes", group)}) > ${String(NEARLY_FULL)} or max by (pod) (${workers("process_resident_memory_bytes", group)}) > ${String(Math.floor(NEARLY_FULL * (bytesOf(resources.limits.memory) ?? Infinity)))}`,
        },
      ];
    }),
    {
      name: "TemporalWorkersNotPolling",
      severity: "critical",
      summary: "The pods of a worker group run, but ask for no tasks",
      forSeconds: 5 * MINUTE,
      expr: `sum by (worker_group, task_queue, poller_type) (${workers("temporal_num_pollers", 'poller_type=~"workflow_task|activity_task"')}) == 0`,
    },
    {
      name: "TemporalWorkerSlotsFull",
      severity: "critical",
      summary: "All pods of a worker group are full: they take no further tasks",
      forSeconds: 5 * MINUTE,
      expr: `sum by (worker_group, task_queue, worker_type) (${workers("temporal_worker_task_slots_available", 'worker_type=~"WorkflowWorker|ActivityWorker"')}) == 0`,
    },
    {
      name: "TemporalNonDeterminism",
      severity: "critical",
      summary: "Workflows cannot go on: their code no longer fits their history",
      forSeconds: MINUTE,
      // The server tries again, so that the second failure is counted.
      expr: `sum by (temporal_namespace, task_queue, workflow_type) (increase(${failed("NonDeterminismError")}[10m])) > 0`,
    },
    {
      name: "TemporalPayloadTooLarge",
      severity: "critical",
      summary: "Workflows cannot go on: a payload is larger than the server takes",
      forSeconds: MINUTE,
      expr: `sum by (temporal_namespace, task_queue, workflow_type, failure_reason) (increase(${failed("GrpcMessageTooLarge|PayloadsTooLarge")}[10m])) > 0`,
    },
    {
      name: "TemporalWorkerRequestsRefused",
      severity: "critical",
      summary: "The server refuses requests of a worker group: credentials, version or limits",
      forSeconds: 5 * MINUTE,
      expr: `sum by (worker_group, operation, status_code) (rate(${workers("temporal_request_failure_total", 'status_code=~"UNIMPLEMENTED|INTERNAL|UNAUTHENTICATED|PERMISSION_DENIED|RESOURCE_EXHAUSTED"')}[5m])) > 0`,
    },
    {
      name: "TemporalWorkerRestarting",
      severity: "warning",
      summary: "The program of a worker pod starts again and again",
      forSeconds: 0,
      expr: `max by (worker_group, pod) (changes(${workers("process_start_time_seconds")}[30m])) > ${String(RESTARTS)}`,
    },
  ];
}
