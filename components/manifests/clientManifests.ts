import type { ClientSettings } from "../../settings/clients";
import type { Settings } from "../../settings/settings";
import type { Rule } from "./accounts";
import { frontendAddress, temporalNamespaceOf } from "./temporalNames";

type ClientConnection = Pick<Settings, "temporal" | "namespaces" | "payloadEncryption">;

/**
 * What an SDK's environment configuration reads (`TEMPORAL_…`), and with which key a client writes. Credentials of an
 * external server are no part of it.
 */
export function clientEnvironment(
  settings: ClientConnection,
  client: Pick<ClientSettings, "temporalNamespace" | "payloadKeys">,
): Record<string, string> {
  const { temporal, payloadEncryption } = settings;
  const { tls, apiKey, apiKeySecret } = temporal.mode === "external" ? temporal : {};
  return {
    TEMPORAL_ADDRESS: frontendAddress(settings),
    TEMPORAL_NAMESPACE: temporalNamespaceOf(settings, { namespace: client.temporalNamespace }),
    TEMPORAL_TLS: String((tls ?? apiKey ?? apiKeySecret) !== undefined),
    ...(tls?.serverName === undefined ? {} : { TEMPORAL_TLS_SERVER_NAME: tls.serverName }),
    ...(client.payloadKeys === undefined
      ? {}
      : {
          CODEC_ACTIVE_KEY: payloadEncryption.activeKey,
          CODEC_BIND_TO_WORKFLOW: String(payloadEncryption.bindToWorkflow),
        }),
  };
}

/** Permissions of a deployer in a client's namespace: its own two objects, and nothing that others keep there. */
export function clientNamespaceRules({ connection, payloadKeys }: ClientSettings): Rule[] {
  const known = ["get", "patch", "update", "delete"];
  const objects = [
    ["configmaps", connection],
    ["secrets", payloadKeys],
  ] as const;
  return objects.flatMap(([resource, name]): Rule[] =>
    name === undefined
      ? []
      : [
          { apiGroups: [""], resources: [resource], verbs: ["create"] },
          { apiGroups: [""], resources: [resource], verbs: known, resourceNames: [name] },
        ],
  );
}
