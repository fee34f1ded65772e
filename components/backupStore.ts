import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { lookUpObject } from "./clusterLookup";
import { existingObjectsGuard } from "./guards/existingObjectsGuard";
import { neededByBackups } from "./manifests/existingObjects";
import { stackLabels } from "./manifests/labels";
import {
  objectStoreName,
  objectStoreSpec,
  PLUGIN_GROUP,
  storeAccess,
} from "./manifests/postgresBackupsManifests";
import { dataOptions } from "./protection";
import type { BackupSettings } from "../settings/backups";
import type { PostgresClusterSettings, Settings } from "../settings/settings";

/** Inputs of {@link BackupStore}. */
export interface BackupStoreArgs {
  readonly settings: Settings;
  readonly cluster: PostgresClusterSettings;
  readonly backup: BackupSettings;
  /** Namespace of the Postgres cluster. */
  readonly namespace: pulumi.Input<string>;
}

/** Where Postgres archives to: the ObjectStore of the plugin, and a Secret with what the settings say of the login. */
export class BackupStore extends pulumi.ComponentResource {
  constructor(
    name: string,
    { settings, cluster, backup, namespace }: BackupStoreArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("temporal-stack:index:BackupStore", name, {}, opts);
    const metadata = { name: objectStoreName(cluster), namespace, labels: stackLabels(settings) };
    const kept = dataOptions(settings);
    const { entries } = storeAccess(backup.store, metadata.name);
    const secrets =
      Object.keys(entries).length === 0
        ? []
        : [
            new k8s.core.v1.Secret(
              `${name}-secret`,
              {
                metadata,
                stringData: Object.fromEntries(
                  Object.entries(entries).map(([key, value]) => [
                    key,
                    typeof value === "string" ? value : value.reveal(),
                  ]),
                ),
              },
              { parent: this, ...kept },
            ),
          ];
    const store = new k8s.apiextensions.CustomResource(
      `${name}-object-store`,
      {
        apiVersion: `${PLUGIN_GROUP}/v1`,
        kind: "ObjectStore",
        metadata,
        spec: objectStoreSpec(cluster, backup, settings.stack),
      },
      {
        parent: this,
        ...kept,
        hooks: existingObjectsGuard(
          `${name}-existing-objects`,
          neededByBackups(backup),
          settings.namespaces.temporal,
          (object) => lookUpObject(settings, settings.namespaces.temporal, object),
        ),
        dependsOn: secrets,
      },
    );
    this.registerOutputs({ objectStore: store.metadata.name });
  }
}
