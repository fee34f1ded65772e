import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { lookUpStorageClasses } from "./clusterLookup";
import { storageClassGuard } from "./guards/storageClass";
import { objectLabels, selectorLabels } from "./manifests/labels";
import { DEV_SERVER_SERVICES, devServerPod, devServerVolume } from "./manifests/temporalDevServerManifests";
import { FRONTEND, workedNamespaces } from "./manifests/temporalNames";
import { dataOptions } from "./protection";
import { podAccount } from "./podAccount";
import type { DevServerSettings, Settings } from "../settings/settings";

/** Inputs of {@link TemporalDevServer}. */
export interface TemporalDevServerArgs {
  readonly settings: Settings;
  readonly server: DevServerSettings;
  /** Namespace of the server. */
  readonly namespace: pulumi.Input<string>;
}

/** Temporal in one pod with one SQLite file, behind the same Services as the official chart. */
export class TemporalDevServer extends pulumi.ComponentResource {
  constructor(
    name: string,
    { settings, server, namespace }: TemporalDevServerArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("temporal-stack:index:TemporalDevServer", name, {}, opts);
    const labels = objectLabels(settings, FRONTEND);
    const matchLabels = selectorLabels(FRONTEND);
    const volume = new k8s.core.v1.PersistentVolumeClaim(
      `${name}-data`,
      {
        metadata: {
          namespace,
          labels,
          annotations: {
            // A claim that is bound at its first use is never ready by itself; the Deployment waits for it.
            "pulumi.com/skipAwait": "true",
            // For the provisioner of kind and k3s: the kubelet keeps volumes of this type to one pod, if so claimed.
            volumeType: "local",
          },
        },
        spec: devServerVolume(server),
      },
      {
        parent: this,
        ...dataOptions(settings),
        // No claim can change it: one made otherwise would be replaced, with what it holds.
        ignoreChanges: ["spec.accessModes"],
        hooks: storageClassGuard("temporal-storage-class", { "temporal.storage": server.storage }, () =>
          lookUpStorageClasses(settings),
        ),
      },
    );
    const account = podAccount(`${name}-account`, settings, { namespace, labels }, { parent: this });
    const seconds = `${String(server.rolloutTimeoutSeconds)}s`;
    const deployment = new k8s.apps.v1.Deployment(
      `${name}-deployment`,
      {
        metadata: { namespace, labels },
        spec: {
          replicas: 1,
          // Never two servers on one SQLite file.
          strategy: { type: "Recreate" },
          progressDeadlineSeconds: server.rolloutTimeoutSeconds,
          selector: { matchLabels },
          template: {
            metadata: { labels },
            spec: devServerPod(server, {
              claimName: volume.metadata.name,
              serviceAccount: account.metadata.name,
              placement: settings.scheduling.default,
              namespaces: workedNamespaces(settings),
              codecEndpoint: settings.payloadEncryption.codecServer?.publicUrl,
            }),
          },
        },
      },
      { parent: this, customTimeouts: { create: seconds, update: seconds } },
    );
    for (const [service, ports] of Object.entries(DEV_SERVER_SERVICES)) {
      new k8s.core.v1.Service(
        `${name}-${service}`,
        {
          metadata: { name: service, namespace, labels },
          spec: { type: "ClusterIP", selector: matchLabels, ports: ports.map((port) => ({ ...port })) },
        },
        { parent: this },
      );
    }
    this.registerOutputs({ deployment: deployment.metadata.name });
  }
}
