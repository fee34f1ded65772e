import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { lookUpObject } from "./clusterLookup";
import { existingObjectsGuard } from "./guards/existingObjectsGuard";
import { neededByWorkers } from "./manifests/existingObjects";
import { objectLabels, selectorLabels } from "./manifests/labels";
import {
  MIN_READY_SECONDS,
  PROGRESS_DEADLINE_SECONDS,
  WORKER_ROLLOUT,
  workerAutoscaler,
  workerDisruptionBudget,
  workerEnvironment,
  workerIdentity,
  workerPod,
} from "./manifests/workerManifests";
import { credentialProjections } from "./manifests/temporalCredentialsManifests";
import { ownSecretEntries, podAnnotations } from "./manifests/workerPodFields";
import type { PayloadKeyring } from "./payloadKeyring";
import { placementOf } from "../settings/scheduling";
import type { Settings, WorkerSettings } from "../settings/settings";
import type { TemporalCredentials } from "./temporalCredentials";
import { podAccount, pullSecretsOf } from "./podAccount";

/** Inputs of {@link TemporalWorker}. */
export interface TemporalWorkerArgs {
  readonly settings: Settings;
  readonly worker: WorkerSettings;
  /** Namespace of the workers. */
  readonly namespace: pulumi.Input<string>;
  /** Image by digest, and its platform. */
  readonly image: { readonly reference: pulumi.Input<string>; readonly platform: string };
  /** The payload keys, if payloads are encrypted; a group that does not encrypt gets none. */
  readonly keyring: PayloadKeyring | undefined;
  /** What to connect to Temporal with, as far as it is in the settings. */
  readonly credentials: TemporalCredentials | undefined;
  /** Secret with which the cluster pulls the image, if the registry wants a login. */
  readonly pullSecret: pulumi.Input<string> | undefined;
}

/**
 * A group of identical worker pods. A rollout takes no old pod away before a new one is
 * ready; if the new ones fail, `pulumi up` fails after `rolloutTimeoutSeconds` and the old ones go on.
 */
export class TemporalWorker extends pulumi.ComponentResource {
  /** Name of the Deployment. */
  readonly deployment: pulumi.Output<string>;

  constructor(name: string, args: TemporalWorkerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("temporal-stack:index:TemporalWorker", name, {}, opts);
    const { settings, worker, namespace, image, credentials, pullSecret } = args;
    const keyring = worker.payloadEncryption ? args.keyring : undefined;
    const identity = workerIdentity(worker.name);
    const labels = objectLabels(settings, identity);
    const metadata = { namespace, labels };
    const matchLabels = selectorLabels(identity);
    const child = { parent: this };

    const account = worker.serviceAccount;
    const serviceAccount =
      account.existing ??
      podAccount(
        `${name}-service-account`,
        settings,
        {
          ...metadata,
          ...(account.name === undefined ? {} : { name: account.name }),
          labels: { ...account.labels, ...labels },
          ...(Object.keys(account.annotations).length === 0 ? {} : { annotations: account.annotations }),
        },
        child,
        pullSecret,
      ).metadata.name;
    const configMap = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      { metadata, data: workerEnvironment(settings, worker) },
      child,
    );
    const tracingHeaders = settings.tracing?.headers?.reveal();
    // Immutable, so that it is replaced on change under a new name, which rolls the pods.
    const environment =
      tracingHeaders &&
      new k8s.core.v1.Secret(
        `${name}-environment`,
        { metadata, immutable: true, stringData: { OTEL_EXPORTER_OTLP_HEADERS: tracingHeaders } },
        child,
      );
    const secrets = ownSecretEntries(worker);
    // Immutable likewise: the pods of a rollout that fails keep what they were started with.
    const ownSecret =
      Object.keys(secrets).length === 0
        ? undefined
        : new k8s.core.v1.Secret(
            `${name}-secrets`,
            { metadata, immutable: true, type: "Opaque", stringData: pulumi.secret(secrets) },
            child,
          );
    const seconds = `${String(worker.rolloutTimeoutSeconds)}s`;
    const deployment = new k8s.apps.v1.Deployment(
      `${name}-deployment`,
      {
        metadata,
        spec: {
          // No replicas: they belong to the autoscaler.
          strategy: WORKER_ROLLOUT,
          minReadySeconds: MIN_READY_SECONDS,
          progressDeadlineSeconds: PROGRESS_DEADLINE_SECONDS,
          selector: { matchLabels },
          template: {
            metadata: {
              labels: { ...worker.pod.labels, ...labels },
              annotations: {
                ...podAnnotations(worker),
                ...(keyring && { "temporal-stack/keyring-checksum": keyring.checksum }),
                ...(credentials && { "temporal-stack/credentials-checksum": credentials.checksum }),
              },
            },
            spec: workerPod(worker, {
              image: image.reference,
              serviceAccount: serviceAccount,
              // An account that somebody else keeps does not have them.
              imagePullSecrets: account.existing === undefined ? [] : pullSecretsOf(settings, pullSecret),
              configMap: configMap.metadata.name,
              keyring: keyring?.volume,
              credentials: credentialProjections(settings.temporal, credentials?.secretName),
              environment: environment?.metadata.name,
              ownSecret: ownSecret?.metadata.name,
              platform: image.platform,
              placement: placementOf(settings, "workers"),
            }),
          },
        },
      },
      {
        ...child,
        // The provider waits for its own timeout even when Kubernetes has given the rollout up already.
        customTimeouts: { create: seconds, update: seconds },
        hooks: existingObjectsGuard(
          `${name}-existing-objects`,
          neededByWorkers(settings, worker.name),
          settings.namespaces.workers,
          (object) => lookUpObject(settings, settings.namespaces.workers, object),
        ),
      },
    );
    this.deployment = deployment.metadata.name;
    new k8s.autoscaling.v2.HorizontalPodAutoscaler(
      `${name}-autoscaler`,
      { metadata, spec: workerAutoscaler(worker, this.deployment) },
      child,
    );
    new k8s.policy.v1.PodDisruptionBudget(
      `${name}-disruption-budget`,
      { metadata, spec: workerDisruptionBudget(matchLabels) },
      child,
    );
    this.registerOutputs({ deployment: this.deployment });
  }
}
