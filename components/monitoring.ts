import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { lookUpResourceTypes } from "./clusterLookup";
import { monitoringGuard } from "./guards/monitoringGuard";
import { isAlertable, prometheusRuleSpec } from "./manifests/alerts/rules";
import {
  MONITORING_GROUP,
  MONITORING_RESOURCES,
  MONITORING_VERSION,
  monitoringLabels,
  podMonitors,
} from "./manifests/podMonitorManifests";
import type { StackNamespaces } from "./namespaces";
import type { Settings } from "../settings/settings";

const API_VERSION = `${MONITORING_GROUP}/${MONITORING_VERSION}`;

/** Inputs of {@link Monitoring}. */
export interface MonitoringArgs {
  readonly settings: Settings;
  readonly namespaces: StackNamespaces;
}

/** What the cluster's Prometheus needs, by `monitoring.mode`; undefined where it is to have nothing. */
export function monitoringOf(
  settings: Settings,
  namespaces: StackNamespaces,
  opts: pulumi.ComponentResourceOptions,
): Monitoring | undefined {
  if (settings.monitoring.mode === "none") return undefined;
  return new Monitoring("monitoring", { settings, namespaces }, opts);
}

/** Objects by which a Prometheus operator of the cluster finds the stack's pods, and learns when to alert. */
export class Monitoring extends pulumi.ComponentResource {
  constructor(
    name: string,
    { settings, namespaces }: MonitoringArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("temporal-stack:index:Monitoring", name, {}, opts);
    const hooks = monitoringGuard(MONITORING_GROUP, MONITORING_RESOURCES, () =>
      lookUpResourceTypes(settings, MONITORING_GROUP, MONITORING_VERSION),
    );
    const monitors = podMonitors(settings).map(
      ({ name: monitor, namespace, labels, spec }) =>
        new k8s.apiextensions.CustomResource(
          `${name}-${monitor}`,
          {
            apiVersion: API_VERSION,
            kind: "PodMonitor",
            metadata: { namespace: namespaces.named(namespace), labels },
            spec,
          },
          { parent: this, hooks },
        ),
    );
    if (isAlertable(settings)) {
      new k8s.apiextensions.CustomResource(
        `${name}-rules`,
        {
          apiVersion: API_VERSION,
          kind: "PrometheusRule",
          metadata: {
            // The workers' namespace is there in every mode.
            namespace: namespaces.named(settings.namespaces.workers),
            labels: monitoringLabels(settings, settings.monitoring),
          },
          spec: prometheusRuleSpec(settings),
        },
        { parent: this, hooks },
      );
    }
    this.registerOutputs({ podMonitors: monitors.length });
  }
}
