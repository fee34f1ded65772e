import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { CodecServerSettings } from "../../settings/settings";
import type { Placement } from "../../settings/scheduling";
import { type Identity, selectorLabels } from "./labels";
import type { KeyringVolume } from "./payloadKeysManifests";
import { restrictedContainer, restrictedPod } from "./podSecurity";
import { containerResources } from "./resources";
import { forPlatform, placementFields } from "./podPlacement";
import { HEALTH_PORT, KEYRING_DIRECTORY, WORKER_UID } from "./workerManifests";

type PodSpec = types.input.core.v1.PodSpec;

/** Port of the codec protocol, in pods and Service. */
export const CODEC_SERVER_PORT = 8081;
/** Name of the Service; an ingress refers to it. */
export const CODEC_SERVER_SERVICE = "temporal-codec-server";
/** Name of the Secret with the generated token, and of its entry; users read it there. */
export const CODEC_TOKEN_SECRET = "temporal-codec-server-token";
export const CODEC_TOKEN_ENTRY = "token";
/** The codec server's pods. */
export const CODEC_SERVER: Identity = {
  name: "temporal-codec-server",
  instance: "codec-server",
  component: "codec-server",
};

const TOKEN_DIRECTORY = "/var/run/temporal/codec-token";
/** For the pod's own group; root owns the files. */
const SECRET_FILE_MODE = 0o440;
/** Share of the memory limit that its one thread may take as heap. */
const HEAP_PERCENT = 60;
/** Seconds in which a pod that is to go is still served to: until no proxy sends it anything new. */
const PRE_STOP_SECONDS = 5;

/** Rolling update that takes no pod away before its successor is ready. */
export const CODEC_SERVER_ROLLOUT = {
  type: "RollingUpdate",
  rollingUpdate: { maxUnavailable: 0, maxSurge: 1 },
} as const;

/** What the pod of the codec server refers to. */
export interface CodecServerPodReferences {
  /** Image by digest. */
  readonly image: pulumi.Input<string>;
  /** Its platform, such as `linux/amd64`. */
  readonly platform: string;
  /** Where its pods run. */
  readonly placement: Placement;
  readonly serviceAccount: pulumi.Input<string>;
  /** The payload keys. */
  readonly keyring: KeyringVolume;
  /** Secret with the token, if one opens the server. */
  readonly token: pulumi.Input<string> | undefined;
}

/** The codec server's environment; nothing in it is secret. */
export function codecServerEnvironment(
  { auth, uiOrigin }: CodecServerSettings,
  activeKey: string,
): Record<string, string> {
  return {
    NODE_OPTIONS: `--max-old-space-size-percentage=${HEAP_PERCENT}`,
    CODEC_KEYS_DIR: KEYRING_DIRECTORY,
    CODEC_ACTIVE_KEY: activeKey,
    CODEC_UI_ORIGIN: uiOrigin,
    CODEC_SERVER_PORT: String(CODEC_SERVER_PORT),
    HEALTH_PORT: String(HEALTH_PORT),
    ...(auth.mode === "token"
      ? { CODEC_AUTH_TOKEN_FILE: `${TOKEN_DIRECTORY}/${CODEC_TOKEN_ENTRY}` }
      : {
          CODEC_AUTH_ISSUER: auth.issuer,
          CODEC_AUTH_AUDIENCE: auth.audience,
          CODEC_AUTH_JWKS_URL: auth.jwksUrl,
          CODEC_AUTH_REQUIRED_CLAIMS: JSON.stringify(auth.requiredClaims),
        }),
  };
}

/** The pod of the codec server: another program of the worker's image. */
export function codecServerPod(
  server: CodecServerSettings,
  activeKey: string,
  references: CodecServerPodReferences,
): PodSpec {
  const probe = (path: string) => ({ httpGet: { path, port: "http-health" } });
  const mounts = [
    { name: "codec-keys", mountPath: KEYRING_DIRECTORY, content: references.keyring },
    ...(references.token === undefined
      ? []
      : [
          {
            name: "codec-token",
            mountPath: TOKEN_DIRECTORY,
            content: { secret: { secretName: references.token, defaultMode: SECRET_FILE_MODE } },
          },
        ]),
  ];
  return {
    serviceAccountName: references.serviceAccount,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: restrictedPod(WORKER_UID),
    terminationGracePeriodSeconds: 30,
    ...placementFields(forPlatform(references.placement, references.platform)),
    topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map(
      (topologyKey) => ({
        topologyKey,
        maxSkew: 1,
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: selectorLabels(CODEC_SERVER) },
        matchLabelKeys: ["pod-template-hash"],
      }),
    ),
    containers: [
      {
        name: "codec-server",
        image: references.image,
        args: ["lib/codec-server/main.js"],
        env: Object.entries(codecServerEnvironment(server, activeKey)).map(([name, value]) => ({
          name,
          value,
        })),
        ports: [
          { name: "http", containerPort: CODEC_SERVER_PORT, protocol: "TCP" },
          { name: "http-health", containerPort: HEALTH_PORT, protocol: "TCP" },
        ],
        startupProbe: { ...probe("/startupz"), periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 30 },
        livenessProbe: { ...probe("/livez"), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
        readinessProbe: { ...probe("/readyz"), periodSeconds: 5, timeoutSeconds: 2, failureThreshold: 3 },
        lifecycle: { preStop: { sleep: { seconds: PRE_STOP_SECONDS } } },
        resources: containerResources(server.resources),
        securityContext: restrictedContainer(),
        volumeMounts: mounts.map(({ name, mountPath }) => ({ name, mountPath, readOnly: true })),
      },
    ],
    volumes: mounts.map(({ name, content }) => ({ name, ...content })),
  };
}
