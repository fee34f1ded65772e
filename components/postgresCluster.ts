import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { lookUpPostgres, lookUpStorageClasses } from "./clusterLookup";
import type { DatabaseCredentials } from "./databaseCredentials";
import type { Succeeded } from "./guards/record";
import { postgresGuard } from "./guards/postgresGuard";
import { joined } from "./guards/refusal";
import { storageClassGuard } from "./guards/storageClass";
import { imagePullSecrets } from "./manifests/imagePull";
import { stackLabels } from "./manifests/labels";
import { POSTGRES_PORT, type PostgresConnection } from "./manifests/postgresConnection";
import {
  caSecretName,
  clusterSpec,
  DATABASES,
  databaseSpec,
  loginName,
  primaryHost,
} from "./manifests/postgresClusterManifests";
import { nameInGeneration, postgresGenerations, servingCluster } from "./manifests/postgresGenerations";
import { dataOptions } from "./protection";
import { FORMER_GENERATION } from "../settings/backups";
import { merge } from "../settings/mapping";
import { placementOf } from "../settings/scheduling";
import type { PostgresClusterSettings, Settings } from "../settings/settings";

const API_VERSION = "postgresql.cnpg.io/v1";
/** Ready means that instances accept connections; the login roles come a moment later. */
const AWAKE = ["condition=Ready", "jsonpath={.status.managedRolesStatus.byStatus.reconciled}"];
/** Asleep, a former generation takes no connection of a server that has not heard of its successor. */
const ASLEEP = ["condition=cnpg.io/hibernation"];
const HIBERNATION = { "cnpg.io/hibernation": "on" };
const FORMER = { [FORMER_GENERATION]: "kept" };
/** Seconds after which a Database that the operator does not make is a failure. */
const DATABASE_SECONDS = 300;

/** Inputs of {@link PostgresCluster}. */
export interface PostgresClusterArgs {
  readonly settings: Settings;
  readonly cluster: PostgresClusterSettings;
  /** Namespace of the cluster and of the Temporal server. */
  readonly namespace: pulumi.Input<string>;
  readonly credentials: DatabaseCredentials;
  /** What the last successful update left, for the guard. */
  readonly succeeded: Promise<Succeeded>;
}

/**
 * Postgres by CloudNativePG with the two databases of Temporal, in one Cluster for each generation that the stack has;
 * done once the databases accept logins and a former generation sleeps.
 */
export class PostgresCluster extends pulumi.ComponentResource {
  readonly connection: PostgresConnection;

  constructor(
    name: string,
    { settings, cluster, namespace, credentials, succeeded }: PostgresClusterArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("temporal-stack:index:PostgresCluster", name, {}, opts);
    const labels = stackLabels(settings);
    const kept = dataOptions(settings);
    const { storage, walStorage } = cluster;
    const volumes = {
      "postgres.storage": storage,
      ...(walStorage === undefined ? {} : { "postgres.walStorage": walStorage }),
    };
    const databases = postgresGenerations(cluster).flatMap((generation) => {
      const { number, clusterName, hibernates } = generation;
      const named = (part: string): string => nameInGeneration(part, number);
      // A former generation goes with the setting that keeps it; what is in the cluster stays all the same.
      const ownOptions = hibernates ? { ...kept, protect: false } : kept;
      const resource = new k8s.apiextensions.CustomResource(
        named(`${name}-cluster`),
        {
          apiVersion: API_VERSION,
          kind: "Cluster",
          metadata: {
            name: clusterName,
            namespace,
            labels,
            annotations: {
              ...(hibernates ? { ...HIBERNATION, ...FORMER } : {}),
              "pulumi.com/waitFor": JSON.stringify(hibernates ? ASLEEP : AWAKE),
              "pulumi.com/timeoutSeconds": String(cluster.readyTimeoutSeconds),
            },
          },
          spec: merge(
            clusterSpec(cluster, placementOf(settings, "postgres"), imagePullSecrets(settings), number),
            cluster.clusterSpec,
          ),
        },
        {
          parent: this,
          ...ownOptions,
          // Read when the cluster is made, and never again.
          ignoreChanges: ["spec.bootstrap", "spec.externalClusters"],
          hooks: joined(
            postgresGuard(settings, cluster, number, succeeded, () =>
              lookUpPostgres(settings, settings.namespaces.temporal, clusterName),
            ),
            storageClassGuard(named("postgres-storage-class"), volumes, () => lookUpStorageClasses(settings)),
          ),
          dependsOn: [credentials],
        },
      );
      return Object.keys(DATABASES)
        .filter(isDatabase)
        .map(
          (database) =>
            new k8s.apiextensions.CustomResource(
              named(`${name}-database-${database}`),
              {
                apiVersion: API_VERSION,
                kind: "Database",
                metadata: {
                  name: `${clusterName}-${database}`,
                  namespace,
                  labels,
                  annotations: {
                    ...(hibernates ? FORMER : {}),
                    "pulumi.com/waitFor": "jsonpath={.status.applied}=true",
                    "pulumi.com/timeoutSeconds": String(DATABASE_SECONDS),
                  },
                },
                spec: databaseSpec(clusterName, database),
              },
              { parent: this, ...ownOptions, dependsOn: [resource] },
            ),
        );
    });
    const serving = servingCluster(cluster);
    this.connection = {
      host: primaryHost(serving, settings.namespaces.temporal),
      port: POSTGRES_PORT,
      databases: DATABASES,
      user: loginName(cluster.credentials.loginRole),
      password: { secretName: credentials.secretName, key: "password" },
      ca: { secretName: caSecretName(serving), key: "ca.crt" },
      verifyTls: "full",
      clientCertificate: undefined,
      connectAttributes: {},
      passwordChecksum: credentials.checksum,
    };
    this.registerOutputs({
      cluster: serving,
      databases: databases.map((database) => database.metadata.name),
    });
  }
}

function isDatabase(name: string): name is keyof typeof DATABASES {
  return name in DATABASES;
}
