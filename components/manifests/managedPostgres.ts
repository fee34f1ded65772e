import type { ManagedPostgresSettings } from "../settings";
import { OLDEST_POSTGRES } from "../settings/postgres";
import { type Identity } from "./labels";

/** The job that tries a Postgres service. */
export const PREFLIGHT: Identity = {
  name: "postgres-preflight",
  instance: "temporal",
  component: "preflight",
};
/** User of the Postgres images of CloudNativePG. */
export const POSTGRES_UID = 26;
/** Where the job finds the certificates of the service. */
export const CA_DIRECTORY = "/etc/postgres-ca";
/** Key of the certificates in their Secret. */
export const CA_KEY = "ca.crt";

/** Environment of `psql`, without the password. */
export function preflightEnvironment(settings: ManagedPostgresSettings): Record<string, string> {
  return {
    PGHOST: settings.host,
    PGPORT: String(settings.port),
    PGUSER: settings.user,
    PGCONNECT_TIMEOUT: "10",
    PGSSLMODE: settings.verifyTls ? "verify-full" : "require",
    ...(settings.verifyTls
      ? { PGSSLROOTCERT: settings.ca === undefined ? "system" : `${CA_DIRECTORY}/${CA_KEY}` }
      : {}),
    HOME: "/tmp",
  };
}

/** What the job must find. */
export interface PreflightNeeds {
  /** `max_connections`, at least. */
  readonly connections: number;
  readonly historyShards: number;
  /** Name of the Temporal cluster, under which the database records its shards. */
  readonly clusterName: string;
}

/**
 * Proves that login, databases, rights, version, connections and shards are what Temporal needs, and
 * reports everything that is not. It changes nothing: the extension is created in a transaction that is
 * rolled back.
 */
export function preflightScript(settings: ManagedPostgresSettings, needs: PreflightNeeds): string {
  const { databases } = settings;
  return [
    "problems=0",
    'problem() { echo "postgres: $1" >&2; problems=$((problems + 1)); }',
    'ask() { psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --dbname "$1" --command "$2"; }',
    // Without a login, nothing else can be asked.
    `if ! ask ${databases.default} 'SELECT 1' >/dev/null; then echo "postgres: cannot log in to ${settings.host}:${settings.port}, database ${databases.default}, as ${settings.user}: see the message above; check host, port, user, password, ca and cidrs of temporal-stack:postgres" >&2; exit 1; fi`,
    `if ! ask ${databases.visibility} 'SELECT 1' >/dev/null; then echo "postgres: cannot open database ${databases.visibility}; create it, owned by ${settings.user}" >&2; exit 1; fi`,
    `version=$(ask ${databases.default} 'SHOW server_version_num')`,
    `[ "$version" -ge ${OLDEST_POSTGRES * 10000} ] || problem "version $version is older than ${OLDEST_POSTGRES}; upgrade it"`,
    `connections=$(ask ${databases.default} 'SHOW max_connections')`,
    `[ "$connections" -ge ${needs.connections} ] || problem "max_connections is $connections, but the server pods need ${needs.connections}; raise it or lower temporal.databaseConnections"`,
    ...Object.values(databases).map(
      (database) =>
        `[ "$(ask ${database} "SELECT pg_has_role(current_user, datdba, 'USAGE') FROM pg_database WHERE datname = current_database()")" = t ] || problem "database ${database} does not belong to ${settings.user}: ALTER DATABASE ${database} OWNER TO ..."`,
    ),
    `ask ${databases.visibility} 'SET client_min_messages = warning; BEGIN; CREATE EXTENSION IF NOT EXISTS btree_gin; ROLLBACK' >/dev/null || problem "${settings.user} cannot create the extension btree_gin in ${databases.visibility}; let an administrator run CREATE EXTENSION btree_gin there"`,
    "shards=",
    `if [ -n "$(ask ${databases.default} "SELECT to_regclass('cluster_metadata_info')")" ]; then shards=$(ask ${databases.default} "${recordedShards(needs.clusterName)}"); fi`,
    `[ -z "$shards" ] || [ "$shards" = ${needs.historyShards} ] || problem "the database was made with $shards history shards, which can never change, but temporal.historyShards is ${needs.historyShards}; set it to $shards"`,
    'if [ "$problems" -gt 0 ]; then exit 1; fi',
    'echo "postgres: ready for Temporal"',
  ].join("\n");
}

/**
 * SQL for the number of shards that a database of Temporal records; no row if it is new. The record is the
 * server's protobuf message `ClusterMetadata`: field 1 is the cluster's name, field 2 the shards (varint).
 */
function recordedShards(clusterName: string): string {
  const at = 2 + clusterName.length;
  const byte = (index: number) => `get_byte(data, ${at + 1 + index})`;
  const shards = [
    `CASE WHEN ${byte(0)} < 128 THEN ${byte(0)}`,
    `WHEN ${byte(1)} < 128 THEN (${byte(0)} & 127) + (${byte(1)} << 7)`,
    `ELSE (${byte(0)} & 127) + ((${byte(1)} & 127) << 7) + (${byte(2)} << 14) END`,
  ].join(" ");
  return `SELECT ${shards} FROM cluster_metadata_info WHERE metadata_partition = 0 AND cluster_name = '${clusterName}' AND data_encoding = 'Proto3' AND get_byte(data, ${at}) = 16`;
}
