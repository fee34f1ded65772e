import { synchronousReplicasOf } from "../../../settings/postgres";
import { bytesOf } from "../../../settings/quantity";
import { JOBS } from "../podMonitorManifests";
import { afterRollout, type Alert, type AlertSettings, countOf, MINUTE, seriesOf } from "./alert";

/** Share of the connections from which a burst meets the limit, as CloudNativePG's own rules have it. */
const CONNECTIONS_SHARE = 0.8;
/** Seconds behind the primary, as CloudNativePG's own rules have it. */
const LAG_SECONDS = 15;
/** Transactions since the oldest frozen row: Postgres freezes at 200 million and stops at two thousand million. */
const WRAPAROUND_AGE = 300_000_000;
/** Segments that wait for the archive, as CloudNativePG's sample rules have it. */
const WAITING_SEGMENTS = 20;
const HOUR = 60 * MINUTE;
/** Share of the volume that the databases alone may fill; the write-ahead log and indexes being built need room, too. */
const DATA_SHARE = 0.7;

/** Alerts about a Postgres cluster of the stack. */
export function postgresAlerts({ stack, postgres, monitoring }: AlertSettings): Alert[] {
  if (postgres?.mode !== "cluster") return [];
  const { backup, instances, readyTimeoutSeconds, storage } = postgres;
  const database = seriesOf(JOBS.postgres, stack);
  const synchronous = (value: string) =>
    `max(${database("cnpg_collector_sync_replicas", `value="${value}"`)})`;
  return [
    {
      name: "TemporalPostgresDown",
      severity: "critical",
      summary: "No Postgres instance answers: Temporal stands still",
      forSeconds: 2 * MINUTE,
      expr: `${countOf(`${database("cnpg_collector_up")} == 1`)} == 0`,
    },
    ...(synchronousReplicasOf(postgres) === 0
      ? []
      : [
          {
            name: "TemporalPostgresWritesWait",
            severity: "critical" as const,
            summary: "Commits wait for a synchronous replica that is not there: Temporal stands still",
            forSeconds: 2 * MINUTE,
            expr: `${synchronous("observed")} < ${synchronous("expected")}`,
          },
        ]),
    ...(instances === 1
      ? []
      : [
          {
            name: "TemporalPostgresStandbyMissing",
            severity: "warning" as const,
            summary: `Fewer than ${String(instances - 1)} replicas follow the primary: the next failure may be an outage`,
            // The operator restarts one instance after the other.
            forSeconds: afterRollout(readyTimeoutSeconds, 5 * MINUTE),
            expr: `max(${database("cnpg_pg_replication_streaming_replicas")}) < ${String(instances - 1)}`,
          },
          {
            name: "TemporalPostgresLag",
            severity: "warning" as const,
            summary: `A replica is more than ${String(LAG_SECONDS)} seconds behind the primary`,
            forSeconds: 5 * MINUTE,
            expr: `max by (pod) (${database("cnpg_pg_replication_lag")}) > ${String(LAG_SECONDS)}`,
          },
        ]),
    ...(backup === undefined
      ? []
      : [
          {
            name: "TemporalPostgresArchiveFails",
            severity: "critical" as const,
            summary:
              "The write-ahead log is not archived: what a lost cluster loses grows, and its volume fills",
            forSeconds: 5 * MINUTE,
            // -1 stands for never. An idle database archives nothing, which is no failure.
            expr: `max(${database("cnpg_pg_stat_archiver_last_failed_time")} - ${database("cnpg_pg_stat_archiver_last_archived_time")}) > 1 or max(${database("cnpg_collector_pg_wal_archive_status", 'value="ready"')}) > ${String(WAITING_SEGMENTS)}`,
          },
          {
            name: "TemporalPostgresBackupOld",
            severity: "critical" as const,
            summary: `The last base backup is more than ${String(monitoring.backups.hours)} hours old, or there is none`,
            // A first backup is taken at once, and takes its time.
            forSeconds: HOUR,
            expr: `time() - max(${database("barman_cloud_cloudnative_pg_io_last_available_backup_timestamp")}) > ${String(monitoring.backups.hours * HOUR)}`,
          },
        ]),
    {
      name: "TemporalPostgresConnectionsHigh",
      severity: "warning",
      summary: "80 % of Postgres' connections are in use",
      forSeconds: 5 * MINUTE,
      expr: `sum by (pod) (${database("cnpg_backends_total")}) / max by (pod) (${database("cnpg_pg_settings_setting", 'name="max_connections"')}) > ${String(CONNECTIONS_SHARE)}`,
    },
    {
      name: "TemporalPostgresWraparound",
      severity: "warning",
      summary: "Vacuum does not keep up: Postgres would stop writing before its transaction ids run out",
      forSeconds: 10 * MINUTE,
      expr: `max by (datname) (${database("cnpg_pg_database_xid_age")}) > ${String(WRAPAROUND_AGE)}`,
    },
    {
      name: "TemporalPostgresVolumeFilling",
      severity: "warning",
      summary: "The databases fill 70 % of the volume that the settings ask for",
      forSeconds: 10 * MINUTE,
      expr: `max(sum by (pod) (${database("cnpg_pg_database_size_bytes")})) > ${String(Math.floor(DATA_SHARE * (bytesOf(storage.size) ?? Infinity)))}`,
    },
  ];
}
