import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { BARMAN_PLUGIN_RELEASE, barmanPluginValues } from "./manifests/barmanPluginManifests";
import { chartSource } from "./manifests/chartSource";
import { imagePullSecrets } from "./manifests/imagePull";
import type { BackupSettings } from "../settings/backups";
import { placementOf } from "../settings/scheduling";
import type { Settings } from "../settings/settings";
import { charts } from "../settings/versions";

/** Seconds for image, resource type, certificates and start of the plugin. */
const RELEASE_SECONDS = 600;

/** Inputs of {@link BarmanPlugin}. */
export interface BarmanPluginArgs {
  readonly settings: Settings;
  readonly plugin: BackupSettings["plugin"];
  /** Namespace of the operator, which looks for its plugins there. */
  readonly namespace: pulumi.Input<string>;
}

/** The plugin by which CloudNativePG backs up to an object store; done once it listens. */
export class BarmanPlugin extends pulumi.ComponentResource {
  constructor(
    name: string,
    { settings, plugin, namespace }: BarmanPluginArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("temporal-stack:index:BarmanPlugin", name, {}, opts);
    const release = new k8s.helm.v3.Release(
      `${name}-release`,
      {
        name: BARMAN_PLUGIN_RELEASE,
        namespace,
        ...chartSource(
          settings.charts.cloudNativePgRepository,
          charts.barmanPlugin.name,
          plugin.chartVersion,
        ),
        values: barmanPluginValues(plugin, placementOf(settings, "operator"), imagePullSecrets(settings)),
        timeout: RELEASE_SECONDS,
        maxHistory: 5,
      },
      { parent: this },
    );
    this.registerOutputs({ release: release.name });
  }
}
