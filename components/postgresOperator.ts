import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { chartSource } from "./manifests/chartSource";
import { oneOffMetadata, scriptPod } from "./manifests/jobs";
import { imagePullSecrets } from "./manifests/imagePull";
import { objectLabels, stackLabels } from "./manifests/labels";
import {
  CURL_UID,
  OPERATOR_LABELS,
  OPERATOR_RELEASE,
  operatorValues,
  WEBHOOK_GATE,
  WEBHOOK_GATE_RULES,
  webhookGateScript,
} from "./manifests/postgresOperatorManifests";
import { podAccount } from "./podAccount";
import { placementOf } from "../settings/scheduling";
import type { PostgresClusterSettings, Settings } from "../settings/settings";
import { charts } from "../settings/versions";

/** Seconds for images, resource types and start of the operator. */
const RELEASE_SECONDS = 600;
/** Seconds of the gate: 60 tries of at most 7 s, and its image. */
const GATE_SECONDS = 600;

/** Inputs of {@link PostgresOperator}. */
export interface PostgresOperatorArgs {
  readonly settings: Settings;
  readonly cluster: PostgresClusterSettings;
  /** Namespace of the operator. */
  readonly namespace: pulumi.Input<string>;
}

/** The CloudNativePG operator; done once the API server reaches its webhook. */
export class PostgresOperator extends pulumi.ComponentResource {
  constructor(
    name: string,
    { settings, cluster: { operator }, namespace }: PostgresOperatorArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("temporal-stack:index:PostgresOperator", name, {}, opts);
    const child = { parent: this };
    const release = new k8s.helm.v3.Release(
      `${name}-release`,
      {
        name: OPERATOR_RELEASE,
        namespace,
        ...chartSource(
          settings.charts.cloudNativePgRepository,
          charts.cloudNativePg.name,
          operator.chartVersion,
        ),
        values: operatorValues(operator, placementOf(settings, "operator"), imagePullSecrets(settings)),
        timeout: RELEASE_SECONDS,
        maxHistory: 5,
      },
      child,
    );

    if (operator.replicas > 1) {
      // The chart makes none.
      new k8s.policy.v1.PodDisruptionBudget(
        `${name}-disruption-budget`,
        {
          metadata: { namespace, labels: stackLabels(settings) },
          spec: { maxUnavailable: 1, selector: { matchLabels: OPERATOR_LABELS } },
        },
        child,
      );
    }

    const labels = objectLabels(settings, WEBHOOK_GATE);
    const metadata = { namespace, labels };
    const account = podAccount(`${name}-gate-account`, settings, metadata, child);
    const role = new k8s.rbac.v1.Role(`${name}-gate-role`, { metadata, rules: WEBHOOK_GATE_RULES }, child);
    const binding = new k8s.rbac.v1.RoleBinding(
      `${name}-gate-binding`,
      {
        metadata,
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
        subjects: [{ kind: "ServiceAccount", name: account.metadata.name, namespace }],
      },
      child,
    );
    const gate = new k8s.batch.v1.Job(
      `${name}-gate`,
      {
        metadata: oneOffMetadata(metadata),
        spec: {
          backoffLimit: 0,
          activeDeadlineSeconds: GATE_SECONDS,
          template: {
            metadata: {
              labels,
              // Another operator is another webhook: the job runs again.
              annotations: {
                "temporal-stack/chart-version": operator.chartVersion,
                "temporal-stack/operator-image": operator.image,
              },
            },
            spec: scriptPod({
              name: "gate",
              image: operator.gateImage,
              user: CURL_UID,
              script: webhookGateScript(operator.namespace),
              placement: placementOf(settings, "jobs"),
              serviceAccount: account.metadata.name,
              needsToken: true,
            }),
          },
        },
      },
      { ...child, dependsOn: [release, binding], customTimeouts: { create: `${GATE_SECONDS + 30}s` } },
    );
    this.registerOutputs({ gate: gate.metadata.name });
  }
}
