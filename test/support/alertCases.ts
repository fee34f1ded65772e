import type { Mapping } from "../../settings/mapping";

/*
 * What each alert must do, on series as the stack exports them. test/engine/alerts.test.ts has promtool evaluate the rules of
 * ALERT_STACK with them; stack prod of the tests has 512 shards, three Postgres instances of 50Gi and one worker group,
 * `orders`, of at most 20 pods.
 */

export const ALERT_STACK = "prod";
/** With backups, which stack prod of the tests has not. */
export const ALERT_CHANGES: Mapping = {
  postgres: {
    mode: "cluster",
    instances: 3,
    storage: { size: "50Gi" },
    maxConnections: 600,
    backup: {
      store: { type: "s3", bucket: "backups", credentials: { workloadIdentity: {} } },
    },
  },
};
export const ALERT_MONITORING = { mode: "resources", prometheus: { namespace: "monitoring" } } as const;

type LabelSet = Readonly<Record<string, string>>;

/** Series by their name and labels, with values in promtool's notation, one a minute. */
type Input = Readonly<Record<string, string>>;

/** Series, the minute at which to look, and the labels of the alerts that fire then, beside stack and severity. */
interface Firing {
  readonly series: Input;
  readonly at: number;
  readonly labels: readonly LabelSet[];
}

/** The three cases of an alert. */
export interface AlertCase {
  readonly fires: Firing;
  /** Series like those that fire, but well; undefined for an alert that always fires. */
  readonly quiet: Omit<Firing, "labels"> | undefined;
  /** Labels of what fires where there are no series at all. */
  readonly withoutSeries?: readonly LabelSet[];
}

const series =
  (job: string) =>
  (metric: string, labels: LabelSet = {}): string =>
    `${metric}{${Object.entries({ job, stack: ALERT_STACK, ...labels })
      .map(([key, value]) => `${key}="${value}"`)
      .join(",")}}`;
const server = series("temporal-server");
const worker = series("temporal-workers");
const postgres = series("temporal-postgres");

const FRONTEND = {
  service_name: "frontend",
  operation: "StartWorkflowExecution",
  temporal_namespace: "shop",
  pod: "f-1",
};
const QUEUE = { temporal_namespace: "shop", taskqueue: "orders", task_type: "Workflow" };
const PARTITION = { ...QUEUE, partition: "0" };
const GROUP = { worker_group: "orders" };
const POD = { ...GROUP, pod: "w-1" };
const WORKFLOW = { temporal_namespace: "shop", task_queue: "orders", workflow_type: "order" };
const PRIMARY = { pod: "pg-1" };

const BURNING = [
  { severity: "critical", long: "1h", short: "5m" },
  { severity: "critical", long: "6h", short: "30m" },
];
const ROLES = ["frontend", "history", "matching", "worker"];
const roleUp = (role: string) => server("up", { role, pod: `${role}-1` });
const workersUp = (count: number): Input =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      worker("up", { ...GROUP, pod: `w-${String(index)}` }),
      "1x40",
    ]),
  );
const failedTasks = (failure_reason: string) =>
  worker("temporal_workflow_task_execution_failed_total", { ...WORKFLOW, failure_reason });
const refused = (status_code: string) =>
  worker("temporal_request_failure_total", { ...GROUP, operation: "PollWorkflowTaskQueue", status_code });
const throttled = (resource_exhausted_cause: string) =>
  server("service_errors_resource_exhausted", { ...FRONTEND, resource_exhausted_cause });

export const ALERT_CASES: Readonly<Record<string, AlertCase>> = {
  TemporalStartErrorBudgetBurn: {
    fires: {
      series: {
        [server("service_requests", FRONTEND)]: "0+600x120",
        [server("service_errors", FRONTEND)]: "_x60 0+30x60",
      },
      at: 100,
      labels: BURNING.map((burn) => ({ ...burn, temporal_namespace: "shop" })),
    },
    quiet: {
      series: {
        [server("service_requests", FRONTEND)]: "0+6000x120",
        [server("service_errors", FRONTEND)]: "0+3x120",
      },
      at: 100,
    },
  },
  TemporalSlowStartBudgetBurn: {
    fires: {
      series: {
        [server("task_schedule_to_start_latency_count", PARTITION)]: "0+60x60",
        [server("task_schedule_to_start_latency_bucket", { ...PARTITION, le: "1" })]: "0+30x60",
      },
      at: 40,
      labels: BURNING.map((burn) => ({ ...burn, ...QUEUE })),
    },
    quiet: {
      series: {
        [server("task_schedule_to_start_latency_count", PARTITION)]: "0+6000x60",
        [server("task_schedule_to_start_latency_bucket", { ...PARTITION, le: "1" })]: "0+5970x60",
      },
      at: 40,
    },
  },
  TemporalRoleDown: {
    fires: {
      series: {
        ...Object.fromEntries(ROLES.map((role) => [roleUp(role), "1x10"])),
        [roleUp("history")]: "0x10",
      },
      at: 5,
      labels: [{ role: "history" }],
    },
    quiet: { series: Object.fromEntries(ROLES.map((role) => [roleUp(role), "1x10"])), at: 5 },
    withoutSeries: ROLES.map((role) => ({ role })),
  },
  TemporalShardsUnowned: {
    fires: {
      series: {
        [server("numshards_gauge", { pod: "h-1" })]: "256x20",
        [server("numshards_gauge", { pod: "h-2" })]: "256x5 128x15",
      },
      at: 15,
      labels: [{}],
    },
    quiet: {
      series: {
        [server("numshards_gauge", { pod: "h-1" })]: "256x20",
        // A rollout moves shards for a while.
        [server("numshards_gauge", { pod: "h-2" })]: "256x11 128x3 256x6",
      },
      at: 15,
    },
  },
  TemporalTasksInDlq: {
    fires: {
      series: { [server("dlq_writes", { task_category: "transfer", pod: "h-0" })]: "_x30 1x60" },
      at: 35,
      labels: [{ task_category: "transfer" }],
    },
    quiet: {
      series: {
        [server("dlq_writes", { task_category: "transfer", pod: "h-0" })]: "1x120",
        [server("dlq_message_count", { task_category: "transfer", pod: "h-0" })]: "0x120",
      },
      at: 90,
    },
  },
  TemporalDeadlockSuspected: {
    fires: {
      series: { [server("dd_current_suspected_deadlocks", { pod: "h-0" })]: "0x5 1x10" },
      at: 10,
      labels: [{ pod: "h-0" }],
    },
    quiet: { series: { [server("dd_current_suspected_deadlocks", { pod: "h-0" })]: "0x15" }, at: 10 },
  },
  TemporalServerErrors: {
    fires: {
      series: {
        [server("service_requests", FRONTEND)]: "0+600x60",
        [server("service_errors", FRONTEND)]: "0+30x60",
      },
      at: 40,
      labels: [{ service_name: "frontend" }],
    },
    quiet: {
      series: {
        [server("service_requests", FRONTEND)]: "0+600x60",
        [server("service_errors", FRONTEND)]: "0+3x60",
      },
      at: 40,
    },
  },
  TemporalRequestsThrottled: {
    fires: {
      series: { [throttled("RpsLimit")]: "0+1x30" },
      at: 20,
      labels: [
        {
          temporal_namespace: "shop",
          operation: "StartWorkflowExecution",
          resource_exhausted_cause: "RpsLimit",
        },
      ],
    },
    quiet: { series: { [throttled("BusyWorkflow")]: "0+1x30" }, at: 20 },
  },
  TemporalPersistenceErrors: {
    fires: {
      series: {
        [server("persistence_requests", { service_name: "history" })]: "0+600x30",
        [server("persistence_errors", { service_name: "history" })]: "0+30x30",
      },
      at: 20,
      labels: [{ service_name: "history" }],
    },
    quiet: {
      series: {
        [server("persistence_requests", { service_name: "history" })]: "0+600x30",
        [server("persistence_errors", { service_name: "history" })]: "0+3x30",
      },
      at: 20,
    },
  },
  TemporalPersistenceSlow: {
    fires: {
      series: {
        [server("persistence_latency_count", { service_name: "history" })]: "0+600x40",
        [server("persistence_latency_sum", { service_name: "history" })]: "0+300x40",
      },
      at: 30,
      labels: [{ service_name: "history" }],
    },
    quiet: {
      series: {
        [server("persistence_latency_count", { service_name: "history" })]: "0+600x40",
        [server("persistence_latency_sum", { service_name: "history" })]: "0+60x40",
      },
      at: 30,
    },
  },
  TemporalTasksWithoutWorkers: {
    fires: {
      series: {
        // The server unloads the queue after five minutes: the counter stands still.
        [server("no_poller_tasks", PARTITION)]: "_x5 10+30x5 160x60",
        [server("poll_success", PARTITION)]: "50x60",
        [server("poll_timeouts", PARTITION)]: "10x60",
      },
      at: 30,
      labels: [QUEUE],
    },
    quiet: {
      series: {
        [server("no_poller_tasks", PARTITION)]: "_x5 10+30x5 160x60",
        [server("poll_success", PARTITION)]: "50x15 50+10x45",
        [server("poll_timeouts", PARTITION)]: "10x60",
      },
      at: 30,
    },
  },
  TemporalBacklog: {
    fires: {
      series: { [server("approximate_backlog_count", PARTITION)]: "0+20x40" },
      at: 30,
      labels: [QUEUE],
    },
    quiet: { series: { [server("approximate_backlog_count", PARTITION)]: "800-10x60" }, at: 30 },
  },
  TemporalBacklogOld: {
    fires: {
      series: { [server("approximate_backlog_age_seconds", PARTITION)]: "0+60x30" },
      at: 20,
      labels: [QUEUE],
    },
    quiet: { series: { [server("approximate_backlog_age_seconds", PARTITION)]: "10x30" }, at: 20 },
  },
  TemporalScheduleMissed: {
    fires: {
      series: { [server("schedule_missed_catchup_window", { temporal_namespace: "shop" })]: "_x5 1x60" },
      at: 8,
      labels: [{ temporal_namespace: "shop" }],
    },
    quiet: {
      series: { [server("schedule_missed_catchup_window", { temporal_namespace: "shop" })]: "1x120" },
      at: 100,
    },
  },
  TemporalWorkersDown: {
    fires: { series: { [worker("up", POD)]: "0x10" }, at: 8, labels: [GROUP] },
    quiet: { series: { [worker("up", POD)]: "1x10" }, at: 8 },
    withoutSeries: [GROUP],
  },
  TemporalWorkersAtMaximum: {
    fires: { series: workersUp(20), at: 30, labels: [GROUP] },
    quiet: { series: workersUp(19), at: 30 },
  },
  TemporalWorkerMemoryHigh: {
    fires: {
      series: {
        [worker("nodejs_heap_size_used_bytes", POD)]: "95x30",
        [worker("nodejs_heap_size_limit_bytes", POD)]: "100x30",
        [worker("process_resident_memory_bytes", { ...GROUP, pod: "w-2" })]: "1000000000x30",
      },
      at: 20,
      labels: [POD, { ...GROUP, pod: "w-2" }],
    },
    quiet: {
      series: {
        [worker("nodejs_heap_size_used_bytes", POD)]: "50x30",
        [worker("nodejs_heap_size_limit_bytes", POD)]: "100x30",
        [worker("process_resident_memory_bytes", POD)]: "500000000x30",
      },
      at: 20,
    },
  },
  TemporalWorkersNotPolling: {
    fires: {
      series: {
        [worker("temporal_num_pollers", { ...POD, task_queue: "orders", poller_type: "activity_task" })]:
          "0x15",
        [worker("temporal_num_pollers", { ...POD, task_queue: "orders", poller_type: "workflow_task" })]:
          "2x15",
      },
      at: 10,
      labels: [{ ...GROUP, task_queue: "orders", poller_type: "activity_task" }],
    },
    quiet: {
      series: {
        [worker("temporal_num_pollers", { ...POD, task_queue: "orders", poller_type: "activity_task" })]:
          "2x15",
      },
      at: 10,
    },
  },
  TemporalWorkerSlotsFull: {
    fires: {
      series: {
        [worker("temporal_worker_task_slots_available", {
          ...POD,
          task_queue: "orders",
          worker_type: "ActivityWorker",
        })]: "0x15",
      },
      at: 10,
      labels: [{ ...GROUP, task_queue: "orders", worker_type: "ActivityWorker" }],
    },
    quiet: {
      series: {
        [worker("temporal_worker_task_slots_available", {
          ...POD,
          task_queue: "orders",
          worker_type: "ActivityWorker",
        })]: "0x15",
        [worker("temporal_worker_task_slots_available", {
          ...GROUP,
          pod: "w-2",
          task_queue: "orders",
          worker_type: "ActivityWorker",
        })]: "3x15",
      },
      at: 10,
    },
  },
  TemporalNonDeterminism: {
    fires: {
      series: { [failedTasks("NonDeterminismError")]: "_x5 1x5 2x30" },
      at: 14,
      labels: [WORKFLOW],
    },
    quiet: { series: { [failedTasks("WorkflowError")]: "0+1x40" }, at: 14 },
  },
  TemporalPayloadTooLarge: {
    fires: {
      series: { [failedTasks("PayloadsTooLarge")]: "0+1x20" },
      at: 15,
      labels: [{ ...WORKFLOW, failure_reason: "PayloadsTooLarge" }],
    },
    quiet: { series: { [failedTasks("WorkflowError")]: "0+1x20" }, at: 15 },
  },
  TemporalWorkerRequestsRefused: {
    fires: {
      series: { [refused("PERMISSION_DENIED")]: "0+1x20" },
      at: 15,
      labels: [{ ...GROUP, operation: "PollWorkflowTaskQueue", status_code: "PERMISSION_DENIED" }],
    },
    quiet: { series: { [refused("UNAVAILABLE")]: "0+1x20" }, at: 15 },
  },
  TemporalWorkerRestarting: {
    fires: {
      series: { [worker("process_start_time_seconds", POD)]: "1x5 2x5 3x5 4x15" },
      at: 20,
      labels: [POD],
    },
    quiet: { series: { [worker("process_start_time_seconds", POD)]: "1x5 2x30" }, at: 20 },
  },
  TemporalPostgresDown: {
    fires: { series: { [postgres("cnpg_collector_up", PRIMARY)]: "0x10" }, at: 5, labels: [{}] },
    quiet: { series: { [postgres("cnpg_collector_up", PRIMARY)]: "1x10" }, at: 5 },
    withoutSeries: [{}],
  },
  TemporalPostgresWritesWait: {
    fires: {
      series: {
        [postgres("cnpg_collector_sync_replicas", { ...PRIMARY, value: "expected" })]: "1x20",
        [postgres("cnpg_collector_sync_replicas", { ...PRIMARY, value: "observed" })]: "1x5 0x15",
      },
      at: 10,
      labels: [{}],
    },
    quiet: {
      series: {
        [postgres("cnpg_collector_sync_replicas", { ...PRIMARY, value: "expected" })]: "1x20",
        [postgres("cnpg_collector_sync_replicas", { ...PRIMARY, value: "observed" })]: "2x20",
      },
      at: 10,
    },
  },
  TemporalPostgresStandbyMissing: {
    fires: {
      series: { [postgres("cnpg_pg_replication_streaming_replicas", PRIMARY)]: "2x5 1x35" },
      at: 30,
      labels: [{}],
    },
    quiet: { series: { [postgres("cnpg_pg_replication_streaming_replicas", PRIMARY)]: "2x40" }, at: 30 },
  },
  TemporalPostgresLag: {
    fires: {
      series: { [postgres("cnpg_pg_replication_lag", { pod: "pg-2" })]: "60x20" },
      at: 10,
      labels: [{ pod: "pg-2" }],
    },
    quiet: { series: { [postgres("cnpg_pg_replication_lag", { pod: "pg-2" })]: "1x20" }, at: 10 },
  },
  TemporalPostgresArchiveFails: {
    fires: {
      series: {
        [postgres("cnpg_pg_stat_archiver_last_failed_time", PRIMARY)]: "-1x5 300x20",
        [postgres("cnpg_pg_stat_archiver_last_archived_time", PRIMARY)]: "200x25",
      },
      at: 15,
      labels: [{}],
    },
    quiet: {
      series: {
        // Nothing to archive for long, and a failure that was mended.
        [postgres("cnpg_pg_stat_archiver_last_failed_time", PRIMARY)]: "100x25",
        [postgres("cnpg_pg_stat_archiver_last_archived_time", PRIMARY)]: "200x25",
        [postgres("cnpg_collector_pg_wal_archive_status", { ...PRIMARY, value: "ready" })]: "3x25",
      },
      at: 15,
    },
  },
  TemporalPostgresBackupOld: {
    fires: {
      // Time begins at 0 here: this backup is as old as it.
      series: {
        [postgres("barman_cloud_cloudnative_pg_io_last_available_backup_timestamp", PRIMARY)]: "1x1700",
      },
      at: 1650,
      labels: [{}],
    },
    quiet: {
      series: {
        [postgres("barman_cloud_cloudnative_pg_io_last_available_backup_timestamp", PRIMARY)]: "50000x1700",
      },
      at: 1650,
    },
  },
  TemporalPostgresConnectionsHigh: {
    fires: {
      series: {
        [postgres("cnpg_backends_total", { ...PRIMARY, state: "idle" })]: "400x20",
        [postgres("cnpg_backends_total", { ...PRIMARY, state: "active" })]: "100x20",
        [postgres("cnpg_pg_settings_setting", { ...PRIMARY, name: "max_connections" })]: "600x20",
      },
      at: 10,
      labels: [PRIMARY],
    },
    quiet: {
      series: {
        [postgres("cnpg_backends_total", { ...PRIMARY, state: "idle" })]: "400x20",
        [postgres("cnpg_pg_settings_setting", { ...PRIMARY, name: "max_connections" })]: "600x20",
      },
      at: 10,
    },
  },
  TemporalPostgresWraparound: {
    fires: {
      series: { [postgres("cnpg_pg_database_xid_age", { ...PRIMARY, datname: "temporal" })]: "400000000x30" },
      at: 20,
      labels: [{ datname: "temporal" }],
    },
    quiet: {
      series: { [postgres("cnpg_pg_database_xid_age", { ...PRIMARY, datname: "temporal" })]: "190000000x30" },
      at: 20,
    },
  },
  TemporalPostgresVolumeFilling: {
    fires: {
      series: {
        [postgres("cnpg_pg_database_size_bytes", { ...PRIMARY, datname: "temporal" })]: "30000000000x30",
        [postgres("cnpg_pg_database_size_bytes", { ...PRIMARY, datname: "temporal_visibility" })]:
          "10000000000x30",
      },
      at: 20,
      labels: [{}],
    },
    quiet: {
      series: {
        [postgres("cnpg_pg_database_size_bytes", { ...PRIMARY, datname: "temporal" })]: "30000000000x30",
        [postgres("cnpg_pg_database_size_bytes", { pod: "pg-2", datname: "temporal" })]: "30000000000x30",
      },
      at: 20,
    },
  },
  TemporalTargetDown: {
    fires: {
      series: { [worker("up", POD)]: "0x40" },
      at: 30,
      labels: [{ ...POD, job: "temporal-workers" }],
    },
    quiet: { series: { [worker("up", POD)]: "0x10 1x30" }, at: 30 },
  },
  TemporalWatchdog: {
    fires: { series: {}, at: 5, labels: [{}] },
    quiet: undefined,
    withoutSeries: [{}],
  },
};
