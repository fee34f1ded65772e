import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { AuthoritiesFrom } from "../../settings/certificates";
import type { TemporalSettings } from "../../settings/settings";

type VolumeProjection = types.input.core.v1.VolumeProjection;

/** Where the pods of the workers find what they connect to Temporal with. */
export const CREDENTIALS_DIRECTORY = "/var/run/temporal/credentials";

interface Existing {
  readonly name: string;
  readonly key: string;
  readonly kind?: "configMap";
}

/** One file of the pods: its name, the variable that tells the worker of it, and where its content comes from. */
interface Credential {
  readonly file: string;
  readonly variable: string;
  /** The setting below `temporal` that says where it is. */
  readonly setting: string;
  /** In the settings: it goes into the Secret that this program makes. */
  readonly value?: pulumi.Input<string> | undefined;
  /** In a Secret that exists, or in a ConfigMap. */
  readonly existing?: Existing | undefined;
}

function credentials(temporal: TemporalSettings): Credential[] {
  if (temporal.mode !== "external") return [];
  const { tls, apiKey, apiKeySecret } = temporal;
  const existing = (key: string | undefined) =>
    tls?.secret === undefined || key === undefined ? undefined : { name: tls.secret.name, key };
  const all: Credential[] = [
    {
      file: "ca.crt",
      variable: "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
      setting: tls?.caFrom === undefined ? "tls.secret.caKey" : "tls.caFrom",
      value: tls?.ca,
      existing: tls?.caFrom === undefined ? existing(tls?.secret?.caKey) : authorities(tls.caFrom),
    },
    {
      file: "tls.crt",
      variable: "TEMPORAL_TLS_CLIENT_CERT_PATH",
      setting: "tls.secret.certificateKey",
      value: tls?.client?.certificate,
      existing: existing(tls?.secret?.certificateKey),
    },
    {
      file: "tls.key",
      variable: "TEMPORAL_TLS_CLIENT_KEY_PATH",
      setting: "tls.secret.privateKeyKey",
      value: tls?.client?.privateKey.reveal(),
      existing: existing(tls?.secret?.privateKeyKey),
    },
    {
      file: "api-key",
      variable: "TEMPORAL_API_KEY_PATH",
      setting: "apiKeySecret",
      value: apiKey?.reveal(),
      existing: apiKeySecret,
    },
  ];
  return all.filter(({ value, existing: elsewhere }) => value !== undefined || elsewhere !== undefined);
}

function authorities({ secret, configMap = "", key }: AuthoritiesFrom): Existing {
  return secret === undefined ? { name: configMap, key, kind: "configMap" } : { name: secret, key };
}

/** Content of the Secret that this program makes; empty if it makes none. What is secret is an Output. */
export function ownCredentials(temporal: TemporalSettings): Record<string, pulumi.Input<string>> {
  return Object.fromEntries(
    credentials(temporal).flatMap(({ file, value }) => (value === undefined ? [] : [[file, value] as const])),
  );
}

/** The Secrets and ConfigMaps that others made, each with the setting that names it. */
export function existingCredentials(temporal: TemporalSettings): (Existing & { readonly setting: string })[] {
  return credentials(temporal).flatMap(({ setting, existing }) =>
    existing === undefined ? [] : [{ ...existing, setting: `temporal.${setting}` }],
  );
}

/** How workers connect: whether with TLS, and with which of the mounted files. */
export function connectionEnvironment(temporal: TemporalSettings): Record<string, string> {
  const files = credentials(temporal).map(({ variable, file }): [string, string] => [
    variable,
    `${CREDENTIALS_DIRECTORY}/${file}`,
  ]);
  const { tls, proxy } = temporal.mode === "external" ? temporal : {};
  return {
    TEMPORAL_GRPC_COMPRESSION: temporal.mode === "external" ? temporal.compression : "none",
    TEMPORAL_TLS: String(tls !== undefined || files.length > 0),
    ...(tls?.serverName === undefined ? {} : { TEMPORAL_TLS_SERVER_NAME: tls.serverName }),
    ...(proxy === undefined ? {} : { TEMPORAL_PROXY_ADDRESS: proxy.address }),
    ...Object.fromEntries(files),
  };
}

/**
 * The mounted files, from however many Secrets and ConfigMaps.
 * @param ownSecret name of the Secret that this program makes, if it makes one
 */
export function credentialProjections(
  temporal: TemporalSettings,
  ownSecret: pulumi.Input<string> | undefined,
): VolumeProjection[] {
  return credentials(temporal).flatMap(({ file, existing }): VolumeProjection[] => {
    if (existing?.kind === "configMap") {
      return [{ configMap: { name: existing.name, items: [{ key: existing.key, path: file }] } }];
    }
    const { name, key } = existing ?? { name: ownSecret, key: file };
    return name === undefined ? [] : [{ secret: { name, items: [{ key, path: file }] } }];
  });
}
