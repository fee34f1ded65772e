import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { ChartServerSettings, Settings } from "../../settings/settings";

/** Variables of a container. */
export type EnvironmentVariables = types.input.core.v1.EnvVar[];

/** Key of the Secret with `ui.login.clientSecret`. */
export const CLIENT_SECRET_KEY = "client-secret";

/** Environment of the UI beside what the chart sets: its own settings, the codec server, and the login. */
export function uiEnvironment(
  { ui }: ChartServerSettings,
  { codecServer }: Settings["payloadEncryption"],
  loginSecret: pulumi.Input<string> | undefined,
): EnvironmentVariables {
  const plain = { ...ui.env, ...codecEnvironment(codecServer), ...loginEnvironment(ui) };
  return [
    ...Object.entries(plain).map(([name, value]) => ({ name, value })),
    ...clientSecret(ui, loginSecret),
  ];
}

/**
 * Where browsers reach the codec server, and what they send it: the access token of the UI's login, or what they
 * know themselves, a password or a cookie.
 */
function codecEnvironment(codecServer: Settings["payloadEncryption"]["codecServer"]): Record<string, string> {
  if (codecServer?.publicUrl === undefined) return {};
  return {
    TEMPORAL_CODEC_ENDPOINT: codecServer.publicUrl,
    ...(codecServer.auth.mode === "jwt"
      ? { TEMPORAL_CODEC_PASS_ACCESS_TOKEN: "true" }
      : { TEMPORAL_CODEC_INCLUDE_CREDENTIALS: "true" }),
  };
}

function loginEnvironment({ login, ingress }: ChartServerSettings["ui"]): Record<string, string> {
  if (login === undefined) return {};
  const { providerUrl, issuerUrl, clientId, scopes } = login;
  return {
    TEMPORAL_AUTH_ENABLED: "true",
    TEMPORAL_AUTH_PROVIDER_URL: providerUrl,
    ...(issuerUrl === undefined ? {} : { TEMPORAL_AUTH_ISSUER_URL: issuerUrl }),
    TEMPORAL_AUTH_CLIENT_ID: clientId,
    TEMPORAL_AUTH_CALLBACK_URL: login.callbackUrl ?? `https://${ingress?.host ?? ""}/auth/sso/callback`,
    TEMPORAL_AUTH_SCOPES: scopes.join(","),
  };
}

function clientSecret(
  { login }: ChartServerSettings["ui"],
  loginSecret: pulumi.Input<string> | undefined,
): EnvironmentVariables {
  const name = login?.clientSecretFrom?.name ?? loginSecret;
  if (login === undefined || name === undefined) return [];
  const key = login.clientSecretFrom?.key ?? CLIENT_SECRET_KEY;
  return [{ name: "TEMPORAL_AUTH_CLIENT_SECRET", valueFrom: { secretKeyRef: { name, key } } }];
}
