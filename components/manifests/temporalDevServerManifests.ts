import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { DevServerSettings } from "../../settings/settings";
import type { Placement } from "../../settings/scheduling";
import { placementFields } from "./podPlacement";
import { restrictedContainer, restrictedPod } from "./podSecurity";
import { containerResources } from "./resources";
import {
  DEV_SERVER_UI_PORT,
  FRONTEND_PORT,
  FRONTEND_SERVICE,
  TEMPORAL_UID,
  UI_SERVICE,
  UI_SERVICE_PORT,
} from "./temporalNames";

type PodSpec = types.input.core.v1.PodSpec;
type ServicePort = types.input.core.v1.ServicePort;
type PersistentVolumeClaimSpec = types.input.core.v1.PersistentVolumeClaimSpec;

const DATA_DIRECTORY = "/data";
/** gRPC service whose health the frontend reports. */
const HEALTH_SERVICE = "temporal.api.workflowservice.v1.WorkflowService";

/** Services in front of the dev server, by name. */
export const DEV_SERVER_SERVICES: Readonly<Record<string, readonly ServicePort[]>> = {
  [FRONTEND_SERVICE]: [{ name: "grpc-rpc", port: FRONTEND_PORT, targetPort: "grpc-rpc", protocol: "TCP" }],
  [UI_SERVICE]: [{ name: "http", port: UI_SERVICE_PORT, targetPort: "http-ui", protocol: "TCP" }],
};

/**
 * The volume of the SQLite file: for one pod, or a forced deletion starts a server while the one before still writes,
 * and SQLite's refusals leave the new one unable to write until it is restarted.
 */
export function devServerVolume({ storage }: DevServerSettings): PersistentVolumeClaimSpec {
  return {
    accessModes: ["ReadWriteOncePod"],
    resources: { requests: { storage: storage.size } },
    ...(storage.storageClass === undefined ? {} : { storageClassName: storage.storageClass }),
  };
}

/**
 * Arguments of the Temporal CLI, whose image starts `temporal`.
 * @param namespaces Temporal namespaces that it makes at start
 * @param codecEndpoint where browsers reach the codec server, if there is one
 */
export function devServerArguments(
  { searchAttributes }: Pick<DevServerSettings, "searchAttributes">,
  namespaces: readonly string[],
  codecEndpoint?: string,
): string[] {
  const attributes = Object.entries(searchAttributes ?? {}).sort(([a], [b]) => a.localeCompare(b));
  return [
    "server",
    "start-dev",
    "--ip=0.0.0.0",
    `--port=${String(FRONTEND_PORT)}`,
    `--ui-port=${String(DEV_SERVER_UI_PORT)}`,
    `--db-filename=${DATA_DIRECTORY}/temporal.db`,
    ...namespaces.map((namespace) => `--namespace=${namespace}`),
    "--log-format=json",
    ...(codecEndpoint === undefined ? [] : [`--ui-codec-endpoint=${codecEndpoint}`]),
    ...attributes.map(([name, type]) => `--search-attribute=${name}=${type}`),
  ];
}

/** What the pod of the dev server refers to. */
export interface DevServerPodReferences {
  /** Name of the volume claim. */
  readonly claimName: pulumi.Input<string>;
  readonly serviceAccount: pulumi.Input<string>;
  /** Temporal namespaces that are made at start. */
  readonly namespaces: readonly string[];
  /** Where browsers reach the codec server, if there is one. */
  readonly codecEndpoint: string | undefined;
  /** Where the pod runs. */
  readonly placement: Placement;
}

/** The dev server's pod. */
export function devServerPod(
  settings: DevServerSettings,
  { claimName, serviceAccount, namespaces, codecEndpoint, placement }: DevServerPodReferences,
): PodSpec {
  const grpc = { port: FRONTEND_PORT, service: HEALTH_SERVICE };
  return {
    serviceAccountName: serviceAccount,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: restrictedPod(TEMPORAL_UID),
    ...placementFields(placement),
    terminationGracePeriodSeconds: 30,
    containers: [
      {
        name: "temporal",
        image: settings.image,
        args: devServerArguments(settings, namespaces, codecEndpoint),
        // SQLite sorts larger results in a temporary file.
        env: [
          { name: "HOME", value: "/tmp" },
          { name: "TMPDIR", value: "/tmp" },
        ],
        ports: [
          { name: "grpc-rpc", containerPort: FRONTEND_PORT, protocol: "TCP" },
          { name: "http-ui", containerPort: DEV_SERVER_UI_PORT, protocol: "TCP" },
        ],
        startupProbe: { grpc, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 60 },
        readinessProbe: { grpc, periodSeconds: 5, timeoutSeconds: 2, failureThreshold: 3 },
        livenessProbe: { grpc, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
        resources: containerResources(settings.resources),
        securityContext: restrictedContainer(),
        volumeMounts: [
          { name: "data", mountPath: DATA_DIRECTORY },
          { name: "tmp", mountPath: "/tmp" },
        ],
      },
    ],
    volumes: [
      { name: "data", persistentVolumeClaim: { claimName } },
      { name: "tmp", emptyDir: { sizeLimit: "256Mi" } },
    ],
  };
}
