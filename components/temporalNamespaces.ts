import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Succeeded } from "./guards/record";
import { namespacesGuard } from "./guards/temporalNamespacesGuard";
import { oneOffMetadata } from "./manifests/jobs";
import { objectLabels } from "./manifests/labels";
import { NAMESPACE_RECONCILER, namespacesJob, reconcilerName } from "./manifests/temporalNamespacesManifests";
import { podAccount } from "./podAccount";
import type { ChartServerSettings, Settings } from "../settings/settings";

/** Inputs of {@link TemporalNamespaces}. */
export interface TemporalNamespacesArgs {
  readonly settings: Settings;
  readonly server: ChartServerSettings;
  /** Kubernetes namespace of the server. */
  readonly namespace: pulumi.Input<string>;
  /** What the last successful update left, for the guard. */
  readonly succeeded: Promise<Succeeded>;
}

/**
 * Temporal namespaces with retention, description and search attributes: once at each change, which the
 * update waits for, and every few minutes, which puts back what was changed by hand.
 */
export class TemporalNamespaces extends pulumi.ComponentResource {
  constructor(
    name: string,
    { settings, server, namespace, succeeded }: TemporalNamespacesArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("temporal-stack:index:TemporalNamespaces", name, {}, opts);
    const labels = objectLabels(settings, NAMESPACE_RECONCILER);
    const account = podAccount(`${name}-account`, settings, { namespace, labels }, { parent: this });
    const spec = namespacesJob(settings, server, account.metadata.name);
    // Changes in place, so that its guard sees old and new before the job below does anything.
    const schedule = new k8s.batch.v1.CronJob(
      `${name}-schedule`,
      {
        metadata: { name: NAMESPACE_RECONCILER.name, namespace, labels },
        spec: {
          schedule: `*/${server.reconcileMinutes} * * * *`,
          concurrencyPolicy: "Forbid",
          startingDeadlineSeconds: 60,
          successfulJobsHistoryLimit: 1,
          failedJobsHistoryLimit: 1,
          jobTemplate: { spec },
        },
      },
      { parent: this, hooks: namespacesGuard(server, succeeded) },
    );
    const job = new k8s.batch.v1.Job(
      `${name}-job`,
      { metadata: oneOffMetadata({ name: reconcilerName(settings, server), namespace, labels }), spec },
      {
        parent: this,
        dependsOn: [schedule],
        customTimeouts: { create: `${spec.activeDeadlineSeconds + 30}s` },
      },
    );
    this.registerOutputs({ job: job.metadata.name });
  }
}
