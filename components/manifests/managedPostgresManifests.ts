import type { ChartServerSettings, ManagedPostgresSettings } from "../../settings/settings";
import { OLDEST_POSTGRES } from "../../settings/postgres";
import { libpqEnvironment } from "../../settings/connectAttributes";
import { type Identity } from "./labels";
import {
  type Authorities,
  authoritiesVolume,
  CERTIFICATE_FILE_MODE,
  type ClientCertificate,
  SSL_MODES,
} from "./postgresConnection";

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

/** Where the job finds the client certificate. */
const CLIENT_CERTIFICATE_DIRECTORY = "/etc/postgres-client";

/** Certificates of the job, if it needs any. The key is root's and its group's alone, or libpq refuses it. */
export function preflightFiles(ca: Authorities | undefined, client: ClientCertificate | undefined) {
  const mounted = [
    ...(ca === undefined ? [] : [{ path: CA_DIRECTORY, volume: { name: "ca", ...authoritiesVolume(ca) } }]),
    ...(client === undefined
      ? []
      : [
          {
            path: CLIENT_CERTIFICATE_DIRECTORY,
            volume: {
              name: "client-certificate",
              secret: { secretName: client.secretName, defaultMode: CERTIFICATE_FILE_MODE },
            },
          },
        ]),
  ];
  return {
    volumes: mounted.map(({ volume }) => volume),
    volumeMounts: mounted.map(({ path, volume }) => ({ name: volume.name, mountPath: path, readOnly: true })),
  };
}

/** Environment of `psql`, without the password. */
export function preflightEnvironment(settings: ManagedPostgresSettings): Record<string, string> {
  const caKey = settings.ca === undefined ? settings.caFrom?.key : CA_KEY;
  return {
    PGHOST: settings.host,
    PGPORT: String(settings.port),
    PGUSER: settings.user,
    PGCONNECT_TIMEOUT: "10",
    PGSSLMODE: SSL_MODES[settings.verifyTls],
    ...(settings.verifyTls === "none"
      ? {}
      : { PGSSLROOTCERT: caKey === undefined ? "system" : `${CA_DIRECTORY}/${caKey}` }),
    ...(settings.clientCertificateSecret === undefined
      ? {}
      : {
          PGSSLCERT: `${CLIENT_CERTIFICATE_DIRECTORY}/${settings.clientCertificateSecret.certificateKey}`,
          PGSSLKEY: `${CLIENT_CERTIFICATE_DIRECTORY}/${settings.clientCertificateSecret.privateKeyKey}`,
        }),
    ...libpqEnvironment(settings.connectAttributes),
    HOME: "/tmp",
  };
}

/** What the job must find. */
export interface PreflightNeeds {
  /** `max_connections`, at least. */
  readonly connections: number;
  readonly historyShards: number;
  /** The Temporal cluster whose data the databases hold, or will hold. */
  readonly cluster: Pick<ChartServerSettings["cluster"], "name" | "peers">;
}

/**
 * The password as it leaves Temporal's connection string: written by `url.QueryEscape` and read as user information,
 * in which a plus is no space (`sqlplugin/postgresql/session` of the server). The dot keeps line breaks at the end.
 */
const AS_TEMPORAL_WRITES_IT = [
  "hint=",
  `case "$PGPASSWORD" in *[[:space:]]*) hint='. The password has white space, perhaps a line break at its end. Temporal sends each space as a plus: choose a password without' ;; esac`,
  `PGPASSWORD=$(printf '%s.' "$PGPASSWORD" | tr ' ' '+')`,
  "PGPASSWORD=${PGPASSWORD%.}",
  "export PGPASSWORD",
];

/**
 * Proves that login, databases, permissions, version, connections and shards are what Temporal needs, and
 * reports everything that is not. It changes nothing: the extension is created in a transaction that is
 * rolled back.
 */
export function preflightScript(settings: ManagedPostgresSettings, needs: PreflightNeeds): string {
  const { databases } = settings;
  return [
    ...AS_TEMPORAL_WRITES_IT,
    "problems=0",
    'problem() { echo "postgres: $1" >&2; problems=$((problems + 1)); }',
    'ask() { psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --dbname "$1" --command "$2"; }',
    // Without a login, nothing else can be asked.
    `if ! ask ${databases.default} 'SELECT 1' >/dev/null; then echo "postgres: cannot log in to ${settings.host}:${settings.port}, database ${databases.default}, as ${settings.user}: see the message above; check host, port, user, password, ca and network of temporal-stack:postgres$hint" >&2; exit 1; fi`,
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
    ...recordedClusters(databases.default, needs),
    'if [ "$problems" -gt 0 ]; then exit 1; fi',
    'echo "postgres: ready for Temporal"',
  ].join("\n");
}

/**
 * Judges every Temporal cluster that the database records. A server adds a record of its own under a name that is
 * not there, and starts with the wanted shards beside the data of the other.
 */
function recordedClusters(database: string, { historyShards, cluster }: PreflightNeeds): string[] {
  const found = `database ${database} holds the data of Temporal cluster \\"$name\\" with $shards history shards`;
  const foreign = `problem "${found}, but temporal.cluster.name is \\"${cluster.name}\\", and a server of that name would not find the workflows in it. To use this data, set temporal.cluster.name to $name and temporal.historyShards to $shards. To begin without it, name empty databases in postgres.databases. If this database has replicated with $name, add $name to temporal.cluster.peers"`;
  const peers = cluster.peers.filter((peer) => peer !== cluster.name);
  return [
    "own=no",
    "records=",
    `table=$(ask ${database} "SELECT to_regclass('cluster_metadata_info')")`,
    `if [ -n "$table" ]; then records=$(ask ${database} "${RECORDED_CLUSTERS} ORDER BY cluster_name <> '${cluster.name}', cluster_name"); fi`,
    "while read -r shards name; do",
    'case "$name" in',
    '"") ;;',
    `${cluster.name}) own=yes; [ "$shards" = ${historyShards} ] || problem "the database was made with $shards history shards, which can never change, but temporal.historyShards is ${historyShards}; set it to $shards" ;;`,
    // A server records itself before it hears of others.
    ...peers.map((peer) => `${peer}) [ $own = yes ] || ${foreign} ;;`),
    `*) ${foreign} ;;`,
    "esac",
    "done <<RECORDS",
    "$records",
    "RECORDS",
  ];
}

/**
 * SQL for the number of shards and the name of each recorded cluster. The record is the server's protobuf message
 * `ClusterMetadata`: field 1 is the cluster's name, field 2 the shards, both behind varints. What cannot be read has
 * "unknown" shards, which nobody wants.
 */
export const RECORDED_CLUSTERS = ((): string => {
  const byte = (index: number) => `get_byte(data, at + ${index + 1})`;
  const shards = [
    "CASE WHEN data_encoding <> 'Proto3' OR length(data) < at + 2 OR get_byte(data, at) <> 16 THEN 'unknown'",
    `WHEN ${byte(0)} < 128 THEN (${byte(0)})::text`,
    `WHEN ${byte(1)} < 128 THEN ((${byte(0)} & 127) + (${byte(1)} << 7))::text`,
    `ELSE ((${byte(0)} & 127) + ((${byte(1)} & 127) << 7) + (${byte(2)} << 14))::text END`,
  ].join(" ");
  const names =
    "octet_length(cluster_name) + CASE WHEN octet_length(cluster_name) < 128 THEN 2 ELSE 3 END AS at";
  return `SELECT ${shards} || ' ' || cluster_name FROM (SELECT *, ${names} FROM cluster_metadata_info WHERE metadata_partition = 0) AS records`;
})();
