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
  podMonitorSpec,
  primaryHost,
} from "./manifests/postgresClusterManifests";
import { dataOptions } from "./protection";
import { merge } from "../settings/mapping";
import { placementOf } from "../settings/scheduling";
import type { PostgresClusterSettings, Settings } from "../settings/settings";

const API_VERSION = "postgresql.cnpg.io/v1";
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

/** Postgres by CloudNativePG with the two databases of Temporal; done once both accept logins. */
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
    const resource = new k8s.apiextensions.CustomResource(
      `${name}-cluster`,
      {
        apiVersion: API_VERSION,
        kind: "Cluster",
        metadata: {
          name: cluster.name,
          namespace,
          labels,
          annotations: {
            // Ready means that instances accept connections; the login roles come a moment later.
            "pulumi.com/waitFor": JSON.stringify([
              "condition=Ready",
              "jsonpath={.status.managedRolesStatus.byStatus.reconciled}",
            ]),
            "pulumi.com/timeoutSeconds": String(cluster.readyTimeoutSeconds),
          },
        },
        spec: merge(
          clusterSpec(cluster, placementOf(settings, "postgres"), imagePullSecrets(settings)),
          cluster.clusterSpec,
        ),
      },
      {
        parent: this,
        ...kept,
        // Read when the cluster is made, and never again.
        ignoreChanges: ["spec.bootstrap", "spec.externalClusters"],
        hooks: joined(
          postgresGuard(settings, cluster, succeeded, () =>
            lookUpPostgres(settings, settings.namespaces.temporal, cluster.name),
          ),
          storageClassGuard("postgres-storage-class", volumes, () => lookUpStorageClasses(settings)),
        ),
        dependsOn: [credentials],
      },
    );
    const databases = Object.keys(DATABASES)
      .filter(isDatabase)
      .map(
        (database) =>
          new k8s.apiextensions.CustomResource(
            `${name}-database-${database}`,
            {
              apiVersion: API_VERSION,
              kind: "Database",
              metadata: {
                name: `${cluster.name}-${database}`,
                namespace,
                labels,
                annotations: {
                  "pulumi.com/waitFor": "jsonpath={.status.applied}=true",
                  "pulumi.com/timeoutSeconds": String(DATABASE_SECONDS),
                },
              },
              spec: databaseSpec(cluster, database),
            },
            { parent: this, ...kept, dependsOn: [resource] },
          ),
      );
    if (cluster.podMonitor) {
      new k8s.apiextensions.CustomResource(
        `${name}-pod-monitor`,
        {
          apiVersion: "monitoring.coreos.com/v1",
          kind: "PodMonitor",
          metadata: { namespace, labels },
          spec: podMonitorSpec(cluster),
        },
        { parent: this },
      );
    }
    this.connection = {
      host: primaryHost(cluster, settings.namespaces.temporal),
      port: POSTGRES_PORT,
      databases: DATABASES,
      user: loginName(cluster.credentials.loginRole),
      password: { secretName: credentials.secretName, key: "password" },
      ca: { secretName: caSecretName(cluster), key: "ca.crt" },
      verifyTls: "full",
      clientCertificate: undefined,
      connectAttributes: {},
      passwordChecksum: credentials.checksum,
    };
    this.registerOutputs({
      cluster: cluster.name,
      databases: databases.map((database) => database.metadata.name),
    });
  }
}

function isDatabase(name: string): name is keyof typeof DATABASES {
  return name in DATABASES;
}
