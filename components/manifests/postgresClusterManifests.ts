import type { BackupSettings } from "../../settings/backups";
import type { PostgresClusterSettings } from "../../settings/settings";
import type { Placement } from "../../settings/scheduling";
import { SHARED_BUFFERS_SHARE, synchronousReplicasOf } from "../../settings/postgres";
import { logVolumeBytes, maxWalBytes } from "../../settings/postgresParameters";
import { bytesOf } from "../../settings/quantity";
import { archivingPlugin } from "./postgresBackupsManifests";
import { clusterNameOf } from "./postgresGenerations";
import { containerResources } from "./resources";

/** Role that owns both databases and that nobody logs in as. */
export const OWNER_ROLE = "temporal";
/** The two login roles that take turns. */
export const LOGIN_ROLES = ["a", "b"] as const;
/** One of the login roles. */
export type LoginRole = (typeof LOGIN_ROLES)[number];
/** Databases of Temporal: workflow histories and what lists find. */
export const DATABASES = { default: "temporal", visibility: "temporal_visibility" } as const;

const MEBIBYTE = 1024 ** 2;
const GIBIBYTE = 1024 ** 3;

/** Name of a login role in Postgres. */
export function loginName(role: LoginRole): string {
  return `${OWNER_ROLE}_${role}`;
}

/** Name of the Secret with a login role's password. */
export function loginSecretName({ name }: Pick<PostgresClusterSettings, "name">, role: LoginRole): string {
  return `${name}-login-${role}`;
}

/** Name of the Secret in which the operator keeps the certificate authority of a Cluster. */
export const caSecretName = (clusterName: string): string => `${clusterName}-ca`;

/** Host name of the primary of a Cluster, as its certificate has it. */
export const primaryHost = (clusterName: string, namespace: string): string =>
  `${clusterName}-rw.${namespace}.svc`;

/**
 * Parameters of postgresql.conf from memory, volumes and connections. Shares of memory are those that the
 * PostgreSQL documentation advises (a quarter for shared buffers); the write-ahead log never fills its
 * volume: a lost replica is given up at half of it.
 */
export function postgresParameters(settings: PostgresClusterSettings): Record<string, string> {
  const memory = bytesOf(settings.resources.requests.memory) ?? 0;
  const shared = memory * SHARED_BUFFERS_SHARE;
  const forConnections = (memory - shared) / 4 / settings.maxConnections;
  return {
    max_connections: String(settings.maxConnections),
    shared_buffers: megabytes(shared),
    effective_cache_size: megabytes(memory * 0.75),
    maintenance_work_mem: megabytes(Math.min(memory / 16, GIBIBYTE)),
    work_mem: megabytes(Math.max(forConnections, MEBIBYTE)),
    wal_level: "replica",
    wal_compression: "on",
    checkpoint_timeout: "15min",
    max_wal_size: megabytes(maxWalBytes(settings)),
    max_slot_wal_keep_size: megabytes(Math.max(logVolumeBytes(settings) / 2, 256 * MEBIBYTE)),
    // Temporal updates and deletes the same rows over and over: dead ones must go early.
    autovacuum_vacuum_scale_factor: "0.05",
    autovacuum_naptime: "15s",
    idle_in_transaction_session_timeout: "5min",
    log_min_duration_statement: "1000",
    ...(settings.backup === undefined
      ? {}
      : { archive_timeout: `${settings.backup.archiveTimeoutSeconds}s` }),
    ...settings.parameters,
  };
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / MEBIBYTE)}MB`;
}

/**
 * `spec` of the Cluster of a generation.
 * @param placement where its pods run
 * @param imagePullSecrets Secrets of its namespace with which the images of Postgres and of the operator are pulled
 */
export function clusterSpec(
  settings: PostgresClusterSettings,
  placement: Placement = {},
  imagePullSecrets: readonly { readonly name: string }[] = [],
  generation = settings.generation,
) {
  const { instances, storage, walStorage, backup } = settings;
  const name = clusterNameOf(settings, generation);
  const synchronous = synchronousReplicasOf(settings);
  return {
    instances,
    imageName: settings.image,
    ...(imagePullSecrets.length === 0 ? {} : { imagePullSecrets: [...imagePullSecrets] }),
    primaryUpdateStrategy: "unsupervised",
    primaryUpdateMethod: instances > 1 ? "switchover" : "restart",
    // With one instance a budget would only block node drains.
    enablePDB: instances > 1,
    enableSuperuserAccess: false,
    stopDelay: settings.stopSeconds,
    storage: volumeSpec(storage),
    ...(walStorage === undefined ? {} : { walStorage: volumeSpec(walStorage) }),
    resources: containerResources(settings.resources),
    affinity: {
      enablePodAntiAffinity: true,
      podAntiAffinityType: settings.antiAffinity,
      topologyKey: "kubernetes.io/hostname",
      ...affinityFields(placement),
    },
    ...(placement.priorityClassName === undefined ? {} : { priorityClassName: placement.priorityClassName }),
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "topology.kubernetes.io/zone",
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: { "cnpg.io/cluster": name, "cnpg.io/podRole": "instance" } },
      },
    ],
    ...(generation === 1 ? { bootstrap: { initdb: initialDatabase() } } : recoveredFrom(settings)),
    ...(backup === undefined ? {} : archivedBy(settings, backup, name)),
    managed: {
      roles: [
        { name: OWNER_ROLE, ensure: "present", login: false },
        ...LOGIN_ROLES.map((role) => ({
          name: loginName(role),
          ensure: "present",
          login: true,
          inRoles: [OWNER_ROLE],
          passwordSecret: { name: loginSecretName(settings, role) },
        })),
      ],
    },
    postgresql: {
      parameters: postgresParameters(settings),
      // Nobody logs in without TLS.
      pg_hba: ["hostssl all all all scram-sha-256", "hostnossl all all all reject"],
      ...(synchronous === 0
        ? {}
        : {
            synchronous: {
              method: "any",
              number: synchronous,
              // Rather no commit than one that a failover loses.
              dataDurability: "required",
              failoverQuorum: true,
            },
          }),
    },
  };
}

function initialDatabase() {
  return {
    database: DATABASES.default,
    owner: OWNER_ROLE,
    dataChecksums: true,
    encoding: "UTF8",
    // What a login role makes must belong to the owner, or the other one could not use it.
    postInitSQL: LOGIN_ROLES.flatMap((role) => [
      `CREATE ROLE ${loginName(role)} LOGIN IN ROLE ${OWNER_ROLE}`,
      `ALTER ROLE ${loginName(role)} SET role = '${OWNER_ROLE}'`,
    ]),
  };
}

/** Where the restored cluster comes from, under the name that only its own `spec` uses. */
const ORIGIN = "origin";

function recoveredFrom(settings: PostgresClusterSettings) {
  const { restore } = settings;
  const recoveryTarget =
    restore?.targetTime !== undefined
      ? { targetTime: restore.targetTime }
      : restore?.backupId !== undefined
        ? { backupID: restore.backupId, targetImmediate: true }
        : undefined;
  const { name, parameters } = archivingPlugin(
    settings,
    clusterNameOf(settings, restore?.fromGeneration ?? 1),
  );
  return {
    bootstrap: {
      recovery: {
        source: ORIGIN,
        // Without them an unused database and role `app` would be made.
        database: DATABASES.default,
        owner: OWNER_ROLE,
        ...(recoveryTarget === undefined ? {} : { recoveryTarget }),
      },
    },
    externalClusters: [{ name: ORIGIN, plugin: { name, parameters } }],
  };
}

/** The log of each generation goes into a folder of its own: no restore ever writes over an older archive. */
function archivedBy(settings: PostgresClusterSettings, { store }: BackupSettings, clusterName: string) {
  const annotations = store.credentials.workloadIdentity?.annotations ?? {};
  return {
    plugins: [archivingPlugin(settings, clusterName)],
    ...(Object.keys(annotations).length === 0
      ? {}
      : { serviceAccountTemplate: { metadata: { annotations } } }),
  };
}

/** CloudNativePG keeps them under names of its own, as it adds the anti-affinity of the instances. */
function affinityFields({ nodeSelector, tolerations, affinity }: Placement) {
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity ?? {};
  return {
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(tolerations === undefined ? {} : { tolerations }),
    ...(nodeAffinity === undefined ? {} : { nodeAffinity }),
    ...(podAffinity === undefined ? {} : { additionalPodAffinity: podAffinity }),
    ...(podAntiAffinity === undefined ? {} : { additionalPodAntiAffinity: podAntiAffinity }),
  };
}

function volumeSpec({ size, storageClass }: PostgresClusterSettings["storage"]) {
  return { size, ...(storageClass === undefined ? {} : { storageClass }) };
}

/** `spec` of one of the Databases of a Cluster. */
export function databaseSpec(clusterName: string, database: keyof typeof DATABASES) {
  return {
    name: DATABASES[database],
    owner: OWNER_ROLE,
    cluster: { name: clusterName },
    databaseReclaimPolicy: "retain",
    // The visibility schema indexes with it; the owner may not create every extension, the operator may.
    ...(database === "visibility" ? { extensions: [{ name: "btree_gin", ensure: "present" }] } : {}),
  };
}
