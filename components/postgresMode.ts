import * as pulumi from "@pulumi/pulumi";
import { BackupStore } from "./backupStore";
import { BarmanPlugin } from "./barmanPlugin";
import { DatabaseCredentials } from "./databaseCredentials";
import type { Succeeded } from "./guards/record";
import { ManagedPostgres } from "./managedPostgres";
import type { PostgresConnection } from "./manifests/postgresConnection";
import type { StackNamespaces } from "./namespaces";
import { PostgresBackups } from "./postgresBackups";
import { PostgresCluster } from "./postgresCluster";
import { PostgresOperator } from "./postgresOperator";
import type { Settings } from "../settings/settings";

/** Postgres of a stack, whoever runs it. */
export interface Postgres {
  readonly connection: PostgresConnection;
  /** What must be there before anything can connect. */
  readonly resources: pulumi.Resource[];
}

/**
 * Postgres by `postgres.mode`; undefined where no Temporal server needs one.
 * @param succeeded what the last successful update left
 * @param certificates what makes certificates, where the stack installs it
 * @param opts options of the resources: provider and what must come first
 */
export function postgresOf(
  settings: Settings,
  namespaces: StackNamespaces,
  succeeded: Promise<Succeeded>,
  certificates: readonly pulumi.Resource[],
  opts: pulumi.ComponentResourceOptions,
): Postgres | undefined {
  const { postgres, temporal } = settings;
  if (postgres === undefined || temporal.mode !== "chart") return undefined;
  const namespace = namespaces.named(settings.namespaces.temporal);
  if (postgres.mode === "managed") {
    const service = new ManagedPostgres(
      "postgres",
      { settings, service: postgres, server: temporal, namespace },
      opts,
    );
    return { connection: service.connection, resources: [service] };
  }
  const operators = postgres.operator.install
    ? [
        new PostgresOperator(
          "postgres-operator",
          { settings, cluster: postgres, namespace: namespaces.named(postgres.operator.namespace) },
          opts,
        ),
      ]
    : [];
  const { backup } = postgres;
  const stores =
    backup === undefined
      ? []
      : [
          new BackupStore(
            "postgres-backup",
            { settings, cluster: postgres, backup, namespace },
            pulumi.mergeOptions(opts, {
              dependsOn: backup.plugin.install
                ? [
                    new BarmanPlugin(
                      "barman-plugin",
                      {
                        settings,
                        plugin: backup.plugin,
                        namespace: namespaces.named(postgres.operator.namespace),
                      },
                      pulumi.mergeOptions(opts, { dependsOn: [...operators, ...certificates] }),
                    ),
                  ]
                : operators,
            }),
          ),
        ];
  const credentials = new DatabaseCredentials(
    "database-credentials",
    { settings, cluster: postgres, namespace },
    opts,
  );
  const cluster = new PostgresCluster(
    "postgres",
    { settings, cluster: postgres, namespace, credentials, succeeded },
    pulumi.mergeOptions(opts, { dependsOn: [...operators, ...stores] }),
  );
  if (backup !== undefined) {
    new PostgresBackups(
      "postgres-backups",
      { settings, cluster: postgres, backup, namespace },
      pulumi.mergeOptions(opts, { dependsOn: [cluster] }),
    );
  }
  return { connection: cluster.connection, resources: [cluster] };
}
