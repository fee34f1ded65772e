import type { CertManagerSettings } from "../../settings/certManager";
import { splitImage } from "../../settings/imageVersion";
import type { Placement } from "../../settings/scheduling";
import type { Labels } from "./labels";
import { placementFields } from "./podPlacement";
import { containerResources } from "./resources";
import { spread } from "./spread";

/** Name of the release; with it, the chart's objects begin with `cert-manager`. */
export const CERT_MANAGER_RELEASE = "cert-manager";
/** Port of the webhook's pods, as the chart sets it. */
export const CERT_MANAGER_WEBHOOK_PORT = 10250;

/** Labels of the pods of one of its parts, as the chart sets them. */
export const certManagerLabels = (part: "cert-manager" | "webhook" | "cainjector"): Labels => ({
  "app.kubernetes.io/name": part,
  "app.kubernetes.io/instance": CERT_MANAGER_RELEASE,
});

/**
 * Values of cert-manager's chart.
 * @param placement where its pods run
 * @param imagePullSecrets Secrets of its namespace with which the images are pulled
 */
export function certManagerValues(
  { namespace, images, replicas, resources }: CertManagerSettings,
  placement: Placement = {},
  imagePullSecrets: readonly { readonly name: string }[] = [],
) {
  const { priorityClassName, ...place } = placementFields(placement);
  const part = (image: string, labels: Labels) => ({
    ...place,
    image: splitImage(image),
    replicaCount: replicas,
    resources: containerResources(resources),
    topologySpreadConstraints: spread(labels),
    podDisruptionBudget: replicas > 1 ? { enabled: true, maxUnavailable: 1 } : { enabled: false },
  });
  return {
    global: {
      ...(imagePullSecrets.length === 0 ? {} : { imagePullSecrets }),
      ...(priorityClassName === undefined ? {} : { priorityClassName }),
      // kube-system by default, where the stack writes nothing.
      leaderElection: { namespace },
      // Its permissions are nobody else's business.
      rbac: { create: true, aggregateClusterRoles: false },
    },
    // Without its resource types every certificate goes, and with them what pods need to start.
    crds: { enabled: true, keep: true },
    ...part(images.controller, certManagerLabels("cert-manager")),
    webhook: {
      ...part(images.webhook, certManagerLabels("webhook")),
      securePort: CERT_MANAGER_WEBHOOK_PORT,
    },
    cainjector: part(images.caInjector, certManagerLabels("cainjector")),
    acmesolver: { image: splitImage(images.acmeSolver) },
    startupapicheck: {
      ...place,
      image: splitImage(images.startupCheck),
      resources: containerResources(resources),
    },
  };
}
