import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Placement } from "../../settings/scheduling";
import { placementFields } from "./podPlacement";
import { restrictedContainer, restrictedPod } from "./podSecurity";

type PodSpec = types.input.core.v1.PodSpec;
type Container = types.input.core.v1.Container;

/**
 * Metadata of a Job that runs once: the next update makes it anew if it failed. Without the annotation the provider
 * waits for the failed Job at each update, which cannot succeed any more.
 */
export function oneOffMetadata<T extends object>(metadata: T) {
  return { ...metadata, annotations: { "pulumi.com/replaceUnready": "true" } };
}

/** What a script runs in. */
export interface ScriptPod {
  readonly name: string;
  readonly image: string;
  /** uid and gid of the process. */
  readonly user: number;
  readonly script: string;
  readonly serviceAccount: pulumi.Input<string>;
  /** Whether the script talks to the API server. */
  readonly needsToken?: boolean;
  readonly placement: Placement;
  readonly env?: Container["env"];
  readonly volumes?: types.input.core.v1.Volume[];
  readonly volumeMounts?: types.input.core.v1.VolumeMount[];
}

/** A pod that runs one shell script to its end; the end of its log says why it failed. */
export function scriptPod(pod: ScriptPod) {
  return {
    restartPolicy: "Never",
    serviceAccountName: pod.serviceAccount,
    automountServiceAccountToken: pod.needsToken ?? false,
    enableServiceLinks: false,
    securityContext: restrictedPod(pod.user),
    ...placementFields(pod.placement),
    containers: [
      {
        name: pod.name,
        image: pod.image,
        command: ["sh", "-ceu", pod.script],
        env: pod.env ?? [],
        terminationMessagePolicy: "FallbackToLogsOnError",
        resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "128Mi" } },
        securityContext: restrictedContainer(),
        volumeMounts: [{ name: "tmp", mountPath: "/tmp" }, ...(pod.volumeMounts ?? [])],
      },
    ],
    volumes: [{ name: "tmp", emptyDir: { sizeLimit: "16Mi" } }, ...(pod.volumes ?? [])],
  } satisfies PodSpec;
}
