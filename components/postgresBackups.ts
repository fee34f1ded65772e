import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { stackLabels } from "./manifests/labels";
import { OPERATOR_GROUP } from "./manifests/operatorPermissions";
import { scheduledBackupSpec } from "./manifests/postgresBackupsManifests";
import { nameInGeneration, postgresGenerations } from "./manifests/postgresGenerations";
import type { BackupSettings } from "../settings/backups";
import type { PostgresClusterSettings, Settings } from "../settings/settings";

/** Inputs of {@link PostgresBackups}. */
export interface PostgresBackupsArgs {
  readonly settings: Settings;
  readonly cluster: PostgresClusterSettings;
  readonly backup: BackupSettings;
  /** Namespace of the Postgres cluster. */
  readonly namespace: pulumi.Input<string>;
}

/** The schedule of base backups of each generation of the Postgres cluster, the first one taken at once. */
export class PostgresBackups extends pulumi.ComponentResource {
  constructor(
    name: string,
    { settings, cluster, backup, namespace }: PostgresBackupsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("temporal-stack:index:PostgresBackups", name, {}, opts);
    const schedules = postgresGenerations(cluster).map(
      ({ number, clusterName, hibernates }) =>
        new k8s.apiextensions.CustomResource(
          nameInGeneration(`${name}-schedule`, number),
          {
            apiVersion: `${OPERATOR_GROUP}/v1`,
            kind: "ScheduledBackup",
            metadata: { name: clusterName, namespace, labels: stackLabels(settings) },
            spec: scheduledBackupSpec(backup, clusterName, hibernates),
          },
          { parent: this },
        ),
    );
    this.registerOutputs({ schedules: schedules.map((schedule) => schedule.metadata.name) });
  }
}
