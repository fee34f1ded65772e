import type { BackupSettings, StoreSettings } from "../../settings/backups";
import { destinationOf } from "../../settings/backups";
import type { PostgresClusterSettings } from "../../settings/settings";
import type { Sensitive } from "../../settings/sensitive";
import { containerResources } from "./resources";

/** API group of the plugin's resource type, and its name as CloudNativePG knows it. */
export const PLUGIN_GROUP = "barmancloud.cnpg.io";
export const PLUGIN_NAME = "barman-cloud.cloudnative-pg.io";

/** Name of the ObjectStore of a stack, and of the Secret that it is reached with, if the stack makes one. */
export const objectStoreName = ({ name }: Pick<PostgresClusterSettings, "name">): string => `${name}-backup`;

/** One entry of a Secret. */
interface Entry {
  readonly name: string;
  readonly key: string;
}

/** How the store is reached: what the ObjectStore says of it, and what a Secret of this stack has to hold. */
export interface StoreAccess {
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly entries: Readonly<Record<string, Sensitive | string>>;
}

/** @param ownSecret name of the Secret that the stack makes of what it knows itself */
export function storeAccess(store: StoreSettings, ownSecret: string): StoreAccess {
  const own = (key: string): Entry => ({ name: ownSecret, key });
  switch (store.type) {
    case "s3":
      return s3Access(store, own);
    case "gcs": {
      const { applicationCredentials, secret } = store.credentials;
      if (applicationCredentials !== undefined) {
        return {
          configuration: {
            googleCredentials: { applicationCredentials: own("applicationCredentials") },
          },
          entries: { applicationCredentials },
        };
      }
      const from = secret && { name: secret.name, key: secret.applicationCredentialsKey };
      return {
        configuration: {
          googleCredentials: from === undefined ? { gkeEnvironment: true } : { applicationCredentials: from },
        },
        entries: {},
      };
    }
    case "azure":
      return azureAccess(store, own);
  }
}

function s3Access(store: Extract<StoreSettings, { type: "s3" }>, own: (key: string) => Entry): StoreAccess {
  const { endpoint, ca, caSecret, region, credentials } = store;
  const { accessKeyId, secretAccessKey, secret } = credentials;
  const isOwn = accessKeyId !== undefined && secretAccessKey !== undefined;
  const s3Credentials = isOwn
    ? {
        accessKeyId: own("accessKeyId"),
        secretAccessKey: own("secretAccessKey"),
        ...(region === undefined ? {} : { region: own("region") }),
      }
    : secret === undefined
      ? { inheritFromIAMRole: true }
      : {
          accessKeyId: { name: secret.name, key: secret.accessKeyIdKey },
          secretAccessKey: { name: secret.name, key: secret.secretAccessKeyKey },
          ...(secret.sessionTokenKey === undefined
            ? {}
            : { sessionToken: { name: secret.name, key: secret.sessionTokenKey } }),
          ...(secret.regionKey === undefined ? {} : { region: { name: secret.name, key: secret.regionKey } }),
        };
  const endpointCA = ca === undefined ? caSecret : own("ca.crt");
  return {
    configuration: {
      s3Credentials,
      ...(endpoint === undefined ? {} : { endpointURL: endpoint }),
      ...(endpointCA === undefined ? {} : { endpointCA }),
    },
    entries: {
      ...(isOwn ? { accessKeyId, secretAccessKey } : {}),
      ...(isOwn && region !== undefined ? { region } : {}),
      ...(ca === undefined ? {} : { "ca.crt": ca }),
    },
  };
}

function azureAccess(
  store: Extract<StoreSettings, { type: "azure" }>,
  own: (key: string) => Entry,
): StoreAccess {
  const { account, credentials } = store;
  const { storageKey, storageSasToken, secret } = credentials;
  if (secret !== undefined) {
    const { name, storageAccountKey, storageKeyKey, storageSasTokenKey } = secret;
    return {
      configuration: {
        azureCredentials: {
          storageAccount: { name, key: storageAccountKey },
          ...(storageKeyKey === undefined ? {} : { storageKey: { name, key: storageKeyKey } }),
          ...(storageSasTokenKey === undefined ? {} : { storageSasToken: { name, key: storageSasTokenKey } }),
        },
      },
      entries: {},
    };
  }
  const value = storageKey ?? storageSasToken;
  if (value === undefined) {
    return { configuration: { azureCredentials: { inheritFromAzureAD: true } }, entries: {} };
  }
  const key = storageKey === undefined ? "storageSasToken" : "storageKey";
  return {
    configuration: {
      azureCredentials: { storageAccount: own("storageAccount"), [key]: own(key) },
    },
    entries: { storageAccount: account, [key]: value },
  };
}

/**
 * `spec` of the ObjectStore: one folder of a bucket, in which each generation of the cluster has its own.
 * @param stack whose name is the folder by default
 */
export function objectStoreSpec(
  cluster: Pick<PostgresClusterSettings, "name">,
  backup: BackupSettings,
  stack: string,
) {
  const { store, compression, parallel, encryption, retentionDays, sidecarResources } = backup;
  const encrypted = encryption === "bucket" ? {} : { encryption };
  return {
    configuration: {
      destinationPath: destinationOf(store, stack),
      ...storeAccess(store, objectStoreName(cluster)).configuration,
      wal: { compression: compression.wal, maxParallel: parallel.wal, ...encrypted },
      data: {
        compression: compression.data,
        jobs: parallel.data,
        // Spread over nine tenths of checkpoint_timeout, a backup would say nothing for 13 minutes.
        immediateCheckpoint: true,
        ...encrypted,
      },
    },
    retentionPolicy: `${retentionDays}d`,
    instanceSidecarConfiguration: { resources: containerResources(sidecarResources) },
  };
}

/**
 * What a Cluster archives with: `spec.plugins`.
 * @param serverName folder of the generation, which no other may ever write to
 */
export function archivingPlugin(cluster: Pick<PostgresClusterSettings, "name">, serverName: string) {
  return {
    name: PLUGIN_NAME,
    // A plugin that is missing is an error, rather than a log that nobody keeps.
    isWALArchiver: true,
    parameters: { barmanObjectName: objectStoreName(cluster), serverName },
  };
}

/**
 * `spec` of the ScheduledBackup of a generation.
 * @param suspended whether the generation sleeps, when every backup would be refused
 */
export function scheduledBackupSpec({ schedule }: BackupSettings, clusterName: string, suspended: boolean) {
  return {
    cluster: { name: clusterName },
    // The operator's expressions begin with seconds.
    schedule: `0 ${schedule}`,
    // A generation that has no base backup yet cannot be restored at all.
    immediate: true,
    suspend: suspended,
    method: "plugin",
    pluginConfiguration: { name: PLUGIN_NAME },
    // Backups are known for as long as the store keeps them, whatever becomes of the schedule.
    backupOwnerReference: "none",
  };
}
