import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { CERT_MANAGER_RELEASE, certManagerValues } from "./manifests/certManagerManifests";
import { chartSource } from "./manifests/chartSource";
import { imagePullSecrets } from "./manifests/imagePull";
import type { StackNamespaces } from "./namespaces";
import { placementOf } from "../settings/scheduling";
import type { Settings } from "../settings/settings";
import { charts } from "../settings/versions";

/** Seconds for images, resource types, start, and the chart's own check that the webhook answers. */
const RELEASE_SECONDS = 600;

/** Inputs of {@link CertManager}. */
export interface CertManagerArgs {
  readonly settings: Settings;
  /** Namespace of cert-manager. */
  readonly namespace: pulumi.Input<string>;
}

/** cert-manager, where the stack installs it; else nothing. */
export function certManagerOf(
  settings: Settings,
  namespaces: StackNamespaces,
  opts: pulumi.ComponentResourceOptions,
): CertManager[] {
  if (!settings.certManager.install) return [];
  const namespace = namespaces.named(settings.certManager.namespace);
  return [new CertManager("cert-manager", { settings, namespace }, opts)];
}

/** cert-manager by Helm; done once its webhook answers. */
export class CertManager extends pulumi.ComponentResource {
  constructor(
    name: string,
    { settings, namespace }: CertManagerArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("temporal-stack:index:CertManager", name, {}, opts);
    const { certManager } = settings;
    const release = new k8s.helm.v3.Release(
      `${name}-release`,
      {
        name: CERT_MANAGER_RELEASE,
        namespace,
        ...chartSource(
          settings.charts.certManagerRepository,
          charts.certManager.name,
          certManager.chartVersion,
        ),
        values: certManagerValues(certManager, placementOf(settings, "operator"), imagePullSecrets(settings)),
        timeout: RELEASE_SECONDS,
        maxHistory: 5,
      },
      { parent: this },
    );
    this.registerOutputs({ release: release.name });
  }
}
