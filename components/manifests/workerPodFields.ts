import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { WorkerSettings } from "../../settings/settings";
import type { Placement } from "../../settings/scheduling";
import type { Labels } from "./labels";
import { forPlatform, placementFields } from "./podPlacement";
import { restrictedContainer } from "./podSecurity";
import { spread } from "./spread";

/*
 * What a company gives its workers beyond image and resources: secrets, files, identity, place. Names of Secrets are
 * all that pods know of what is in them.
 */

type Container = types.input.core.v1.Container;
type EnvVar = types.input.core.v1.EnvVar;
type EnvFromSource = types.input.core.v1.EnvFromSource;
type PodSpec = types.input.core.v1.PodSpec;
type VolumeProjection = types.input.core.v1.VolumeProjection;

/** Where workers find the secrets that they are given as files. */
export const WORKER_SECRETS_DIRECTORY = "/var/run/worker/secrets";
/** The only folder that a worker can write to. */
export const TMP_DIRECTORY = "/tmp";

type Secret = WorkerSettings["secrets"][number];

/** Key of a secret in the Secret that the program makes: a variable and a file may have one name. */
const ownKey = ({ env, file }: Secret): string => (env === undefined ? `file.${file ?? ""}` : `env.${env}`);

/** Content of the Secret that the program makes for a group; empty if it makes none. */
export function ownSecretEntries({ secrets }: WorkerSettings): Record<string, pulumi.Output<string>> {
  return Object.fromEntries(
    secrets.flatMap((secret) => {
      const value = secret.value?.reveal();
      return value === undefined ? [] : [[ownKey(secret), value] as const];
    }),
  );
}

interface Place {
  readonly name: pulumi.Input<string>;
  readonly key: string;
}

/** Where a secret is; undefined where the settings say nothing, which their schema refuses. */
function placeOf(secret: Secret, ownSecret: pulumi.Input<string> | undefined): Place | undefined {
  if (secret.secret !== undefined && secret.key !== undefined)
    return { name: secret.secret, key: secret.key };
  return ownSecret === undefined ? undefined : { name: ownSecret, key: ownKey(secret) };
}

/** Variables that come from Secrets. */
export function secretVariables(
  { secrets }: WorkerSettings,
  ownSecret: pulumi.Input<string> | undefined,
): EnvVar[] {
  return secrets.flatMap((secret) => {
    const place = placeOf(secret, ownSecret);
    return secret.env === undefined || place === undefined
      ? []
      : [{ name: secret.env, valueFrom: { secretKeyRef: { ...place } } }];
  });
}

/** Files that come from Secrets, from however many. */
export function secretFiles(
  { secrets }: WorkerSettings,
  ownSecret: pulumi.Input<string> | undefined,
): VolumeProjection[] {
  return secrets.flatMap((secret) => {
    const place = placeOf(secret, ownSecret);
    return secret.file === undefined || place === undefined
      ? []
      : [{ secret: { name: place.name, items: [{ key: place.key, path: secret.file }] } }];
  });
}

/** Secrets and ConfigMaps whose keys all become variables. */
export function variableSources({ envFrom }: WorkerSettings): EnvFromSource[] {
  return envFrom.map(({ secret, configMap, prefix }) => ({
    ...(prefix === undefined ? {} : { prefix }),
    ...(secret === undefined ? { configMapRef: { name: configMap ?? "" } } : { secretRef: { name: secret } }),
  }));
}

/** Annotations of the pods: those of the settings, and what rolls the pods when an existing Secret changes. */
export function podAnnotations({ pod, secrets, envFrom }: WorkerSettings): Record<string, string> {
  const revisions = [...secrets, ...envFrom].flatMap((source) =>
    source.revision === undefined
      ? []
      : [
          `${source.secret ?? ("configMap" in source ? source.configMap : undefined) ?? ""}=${source.revision}`,
        ],
  );
  return {
    ...pod.annotations,
    ...(revisions.length === 0
      ? {}
      : { "temporal-stack/secrets-revision": [...new Set(revisions)].sort().join(",") }),
  };
}

/**
 * Where the pods run.
 * @param placement of all groups; what the group sets takes precedence
 * @param platform of the image, such as `linux/amd64`
 * @param matchLabels labels of the group's pods
 */
export function podPlacement(
  { pod }: WorkerSettings,
  placement: Placement,
  platform: string,
  matchLabels: Labels,
): Partial<PodSpec> {
  const own = { ...placementFields(placement), ...placementFields(pod) };
  return {
    ...placementFields(forPlatform(own, platform)),
    topologySpreadConstraints:
      pod.topologySpread?.map((constraint) => ({ labelSelector: { matchLabels }, ...constraint })) ??
      // Counts only pods of the same revision, so that a rollout spreads the new ones.
      spread(matchLabels).map((constraint) => ({ ...constraint, matchLabelKeys: ["pod-template-hash"] })),
    ...(pod.runtimeClassName === undefined ? {} : { runtimeClassName: pod.runtimeClassName }),
  };
}

/** Containers that run before the worker or beside it, as restricted as the worker itself. */
export function furtherContainers({ pod }: WorkerSettings): Container[] {
  const restricted = (container: (typeof pod.sidecars)[number]): Container => ({
    ...container,
    securityContext: { ...container.securityContext, ...restrictedContainer() },
  });
  return [
    // Kubernetes starts them in order and ends them last, so that what comes after can use them.
    ...pod.sidecars.map((container) => ({ ...restricted(container), restartPolicy: "Always" })),
    ...pod.initContainers.map(restricted),
  ];
}
