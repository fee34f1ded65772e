import type { PostgresClusterSettings } from "../../settings/settings";
import { splitImage } from "../../settings/imageVersion";
import type { Identity, Labels } from "./labels";
import type { Placement } from "../../settings/scheduling";
import { placementFields } from "./podPlacement";
import { containerResources } from "./resources";
import { spread } from "./spread";

type OperatorSettings = PostgresClusterSettings["operator"];

/** Name of the release; the operator's Deployment is `cnpg-cloudnative-pg`. */
export const OPERATOR_RELEASE = "cnpg";
/** The job that waits for the webhook. */
export const WEBHOOK_GATE: Identity = {
  name: "cloudnative-pg-gate",
  instance: OPERATOR_RELEASE,
  component: "gate",
};
/** User of the curl image. */
export const CURL_UID = 100;

/** The webhook behind the API server's proxy, as resource name of RBAC and in addresses. */
const WEBHOOK_SERVICE = "https:cnpg-webhook-service:webhook-server";

/** Labels of the operator's pods, as its chart sets them. */
export const OPERATOR_LABELS: Labels = {
  "app.kubernetes.io/name": "cloudnative-pg",
  "app.kubernetes.io/instance": OPERATOR_RELEASE,
};

/**
 * Values of the operator's chart.
 * @param placement where its pods run
 * @param imagePullSecrets Secrets of its namespace with which the image is pulled
 */
export function operatorValues(
  { image, replicas, resources }: OperatorSettings,
  placement: Placement = {},
  imagePullSecrets: readonly { readonly name: string }[] = [],
) {
  return {
    ...placementFields(placement),
    ...(imagePullSecrets.length === 0 ? {} : { imagePullSecrets }),
    // Without it both pods may be lost with one node, and with them every failover and every change of a Cluster.
    topologySpreadConstraints: spread(OPERATOR_LABELS),
    replicaCount: replicas,
    image: splitImage(image),
    crds: { create: true },
    resources: containerResources(resources),
  };
}

/** What the job may do: ask the webhook for its health, as the API server will, and nothing else. */
export const WEBHOOK_GATE_RULES = [
  {
    apiGroups: [""],
    resources: ["services/proxy"],
    resourceNames: [WEBHOOK_SERVICE],
    verbs: ["get"],
  },
];

/**
 * Polls the webhook through the API server's proxy, the way that admission goes: an operator that is ready
 * does not prove that the API server can reach it.
 */
export function webhookGateScript(namespace: string): string {
  return [
    "account=/var/run/secrets/kubernetes.io/serviceaccount",
    `url=https://kubernetes.default.svc/api/v1/namespaces/${namespace}/services/${WEBHOOK_SERVICE}/proxy/readyz`,
    "for attempt in $(seq 60); do",
    '  if curl --silent --show-error --fail --max-time 5 --cacert "$account/ca.crt" --header "Authorization: Bearer $(cat "$account/token")" "$url"; then exit 0; fi',
    "  sleep 2",
    "done",
    'echo "the webhook of CloudNativePG does not answer the API server: check that the operator runs and that networkAccess.webhooksFrom lets the API server, or the pods through which it calls, reach port 9443" >&2',
    "exit 1",
  ].join("\n");
}
