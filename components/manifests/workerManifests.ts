import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Settings, WorkerSettings } from "../../settings/settings";
import type { Placement } from "../../settings/scheduling";
import { NODE_OPTIONS } from "../../settings/env";
import { WORKER_IMAGE } from "../../settings/stackImages";
import { heapPercent } from "../../settings/workers";
import { type Identity, type Labels, selectorLabels } from "./labels";
import type { KeyringVolume } from "./payloadKeysManifests";
import { restrictedContainer, restrictedPod } from "./podSecurity";
import { containerResources } from "./resources";
import { connectionEnvironment, CREDENTIALS_DIRECTORY } from "./temporalCredentialsManifests";
import {
  furtherContainers,
  podPlacement,
  secretFiles,
  secretVariables,
  TMP_DIRECTORY,
  variableSources,
  WORKER_SECRETS_DIRECTORY,
} from "./workerPodFields";
import { frontendAddress, temporalNamespaceOf } from "./temporalNames";
import { HEALTH_PORT_NAME, workerProbes } from "./workerProbes";

type PodSpec = types.input.core.v1.PodSpec;
type EnvVar = types.input.core.v1.EnvVar;
type Volume = types.input.core.v1.Volume;

/** Port of the codec server's health endpoints, and of a worker's unless its group names another. */
export const HEALTH_PORT = 8080;
/** Port of a worker's Prometheus metrics, unless its group names another. */
export const METRICS_PORT = 9464;
/** User of distroless `nonroot` images. */
export const WORKER_UID = 65532;
/** For the pod's own group; root owns the files. */
const SECRET_FILE_MODE = 0o440;
/** Where the payload keys are mounted. */
export const KEYRING_DIRECTORY = "/var/run/temporal/codec-keys";

/** Seconds for which a pod must stay ready before a rollout goes on: catches a crash right after start. */
export const MIN_READY_SECONDS = 10;
/**
 * Seconds without progress after which Kubernetes calls a rollout failed: one pod's image pull, its
 * startup probe (60 s) and {@link MIN_READY_SECONDS}. Less than the least `rolloutTimeoutSeconds`.
 */
export const PROGRESS_DEADLINE_SECONDS = 120;

/** The pods of a worker group. */
export function workerIdentity(group: string): Identity {
  return { name: "temporal-worker", instance: group, component: "worker" };
}

/** What the pod of a worker refers to. */
export interface WorkerPodReferences {
  /** Image by digest. */
  readonly image: pulumi.Input<string>;
  readonly serviceAccount: pulumi.Input<string>;
  /** Secrets to pull the images with that the account does not bring. */
  readonly imagePullSecrets: readonly { readonly name: pulumi.Input<string> }[];
  readonly configMap: pulumi.Input<string>;
  /** The payload keys, if the group encrypts payloads. */
  readonly keyring: KeyringVolume | undefined;
  /** Files to connect to Temporal with; empty if it wants none. */
  readonly credentials: types.input.core.v1.VolumeProjection[];
  /** Secret with further environment variables, if there is one. */
  readonly environment: pulumi.Input<string> | undefined;
  /** Secret with the secrets of the settings, if there are some. */
  readonly ownSecret: pulumi.Input<string> | undefined;
  /** Platform of the image, such as `linux/amd64`. */
  readonly platform: string;
  /** Where the pods of every group run. */
  readonly placement: Placement;
}

/** The worker's environment as far as it is the same in every pod. */
export function workerEnvironment(
  settings: Pick<Settings, "temporal" | "namespaces" | "payloadEncryption" | "tracing">,
  worker: WorkerSettings,
): Record<string, string> {
  const { payloadEncryption, tracing } = settings;
  return {
    ...(tracing === undefined ? {} : { OTEL_SERVICE_NAME: `temporal-worker-${worker.name}` }),
    ...worker.env,
    TEMPORAL_ADDRESS: frontendAddress(settings),
    TEMPORAL_NAMESPACE: temporalNamespaceOf(settings, worker),
    ...connectionEnvironment(settings.temporal),
    TEMPORAL_TASK_QUEUES: worker.taskQueues.join(","),
    ...nodeOptions(worker),
    HEALTH_PORT: String(worker.ports.health),
    METRICS_BIND_ADDRESS: `0.0.0.0:${String(worker.ports.metrics)}`,
    LOG_LEVEL: worker.logLevel,
    LOG_FAILURE_MESSAGES: String(worker.logFailureMessages),
    SHUTDOWN_GRACE_SECONDS: String(worker.shutdown.graceSeconds),
    SHUTDOWN_FORCE_SECONDS: String(worker.shutdown.forceSeconds),
    CONNECT_ATTEMPT_SECONDS: String(worker.connect.attemptSeconds),
    CONNECT_GIVE_UP_SECONDS: String(worker.connect.giveUpSeconds),
    ...whereSet("MAX_CACHED_WORKFLOWS", worker.maxCachedWorkflows),
    ...whereSet("ACTIVITY_SLOTS", worker.activitySlots),
    ...whereSet("WORKFLOW_TASK_SLOTS", worker.workflowTaskSlots),
    ACTIVITY_POLLERS: String(worker.activityPollers),
    WORKFLOW_TASK_POLLERS: String(worker.workflowTaskPollers),
    ...(payloadEncryption.enabled && worker.payloadEncryption
      ? {
          CODEC_KEYS_DIR: KEYRING_DIRECTORY,
          CODEC_ACTIVE_KEY: payloadEncryption.activeKey,
          CODEC_BIND_TO_WORKFLOW: String(payloadEncryption.bindToWorkflow),
          CODEC_REQUIRE_ENCRYPTED: String(payloadEncryption.requireEncrypted),
        }
      : {}),
    ...(tracing === undefined
      ? {}
      : {
          OTEL_EXPORTER_OTLP_ENDPOINT: tracing.endpoint,
          OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
          OTEL_TRACES_SAMPLER_ARG: String(tracing.sampleRatio),
        }),
  };
}

/** The program divides the heaps of its own worker; what another image runs on is not its business. */
function nodeOptions({ image, taskQueues }: WorkerSettings): Record<string, string> {
  if (image !== WORKER_IMAGE) return {};
  const percent = String(heapPercent(taskQueues.length));
  return { [NODE_OPTIONS]: `--max-old-space-size-percentage=${percent}` };
}

function whereSet(name: string, value: number | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: String(value) };
}

interface Mount {
  readonly volume: Volume;
  readonly mountPath: string;
  readonly readOnly: boolean;
}

/** What is mounted, and where. */
function mounts(worker: WorkerSettings, { keyring, credentials, ownSecret }: WorkerPodReferences): Mount[] {
  const files = secretFiles(worker, ownSecret);
  return [
    {
      mountPath: TMP_DIRECTORY,
      volume: { name: "tmp", emptyDir: { sizeLimit: worker.tmp.sizeLimit } },
      readOnly: false,
    },
    ...(files.length === 0
      ? []
      : [
          {
            mountPath: WORKER_SECRETS_DIRECTORY,
            volume: {
              name: "worker-secrets",
              projected: { sources: files, defaultMode: SECRET_FILE_MODE },
            },
            readOnly: true,
          },
        ]),
    ...(keyring === undefined
      ? []
      : [
          {
            mountPath: KEYRING_DIRECTORY,
            volume: { name: "codec-keys", ...keyring },
            readOnly: true,
          },
        ]),
    ...(credentials.length === 0
      ? []
      : [
          {
            mountPath: CREDENTIALS_DIRECTORY,
            volume: {
              name: "credentials",
              projected: { sources: credentials, defaultMode: SECRET_FILE_MODE },
            },
            readOnly: true,
          },
        ]),
  ];
}

/** The pod of a worker group. */
export function workerPod(worker: WorkerSettings, references: WorkerPodReferences): PodSpec {
  const mounted = mounts(worker, references);
  const { pod } = worker;
  const further = furtherContainers(worker);
  return {
    serviceAccountName: references.serviceAccount,
    automountServiceAccountToken: worker.serviceAccount.automountToken,
    ...(references.imagePullSecrets.length === 0
      ? {}
      : { imagePullSecrets: [...references.imagePullSecrets] }),
    enableServiceLinks: false,
    securityContext: restrictedPod(WORKER_UID),
    terminationGracePeriodSeconds: worker.shutdown.terminationGracePeriodSeconds,
    ...podPlacement(
      worker,
      references.placement,
      references.platform,
      selectorLabels(workerIdentity(worker.name)),
    ),
    ...(further.length === 0 ? {} : { initContainers: further }),
    containers: [
      {
        name: "worker",
        image: references.image,
        ...(worker.command === undefined ? {} : { command: worker.command }),
        ...(worker.args === undefined ? {} : { args: worker.args }),
        // The later one wins: the program's own variables.
        envFrom: [
          ...variableSources(worker),
          { configMapRef: { name: references.configMap } },
          ...(references.environment === undefined ? [] : [{ secretRef: { name: references.environment } }]),
        ],
        env: [
          fromPod("POD_NAME", "metadata.name"),
          fromPod("POD_NAMESPACE", "metadata.namespace"),
          ...secretVariables(worker, references.ownSecret),
        ],
        ports: [
          { name: HEALTH_PORT_NAME, containerPort: worker.ports.health, protocol: "TCP" },
          { name: "metrics", containerPort: worker.ports.metrics, protocol: "TCP" },
        ],
        ...workerProbes(worker.probes),
        resources: containerResources(worker.resources),
        securityContext: restrictedContainer(),
        volumeMounts: [
          ...mounted.map(({ volume, mountPath, readOnly }) => ({ name: volume.name, mountPath, readOnly })),
          ...pod.volumeMounts,
        ],
      },
    ],
    volumes: [...mounted.map(({ volume }) => volume), ...pod.volumes],
  };
}

function fromPod(name: string, fieldPath: string): EnvVar {
  return { name, valueFrom: { fieldRef: { apiVersion: "v1", fieldPath } } };
}

/** Rolling update that takes no pod away before its successor is ready. */
export const WORKER_ROLLOUT = {
  type: "RollingUpdate",
  rollingUpdate: { maxUnavailable: 0, maxSurge: "25%" },
} as const;

/**
 * Autoscaling on CPU.
 * @param deployment name of the Deployment, whose `spec.replicas` must be left out
 */
export function workerAutoscaler(worker: WorkerSettings, deployment: pulumi.Input<string>) {
  const { min, max, targetCpuPercent } = worker.replicas;
  return {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: deployment },
    minReplicas: min,
    maxReplicas: max,
    metrics: [
      {
        type: "Resource",
        resource: { name: "cpu", target: { type: "Utilization", averageUtilization: targetCpuPercent } },
      },
    ],
    // Scaling in interrupts running activities, so it waits for five quiet minutes and goes pod by pod.
    behavior: {
      scaleDown: {
        stabilizationWindowSeconds: 300,
        selectPolicy: "Max",
        policies: [{ type: "Pods", value: 1, periodSeconds: 60 }],
      },
    },
  } satisfies types.input.autoscaling.v2.HorizontalPodAutoscalerSpec;
}

/** One pod at a time may be evicted, and unready ones always: a Temporal outage must not block node drains. */
export function workerDisruptionBudget(podLabels: Labels) {
  return {
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: "AlwaysAllow",
    selector: { matchLabels: podLabels },
  } satisfies types.input.policy.v1.PodDisruptionBudgetSpec;
}
