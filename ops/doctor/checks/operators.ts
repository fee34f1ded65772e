import type { Labels } from "../../../components/manifests/labels";
import { OPERATOR_GROUP } from "../../../components/manifests/operatorPermissions";
import {
  MONITORING_GROUP,
  MONITORING_RESOURCES,
  MONITORING_VERSION,
} from "../../../components/manifests/podMonitorManifests";
import { OPERATOR_RELEASE } from "../../../components/manifests/postgresOperatorManifests";
import { minorOf } from "../../../settings/imageVersion";
import type { PostgresClusterSettings } from "../../../settings/settings";
import { images } from "../../../settings/versions";
import type { Check } from "../check";
import type { ClusterReader } from "../clusterReader";
import { type Finding, failed, ok, warning } from "../finding";

/** Version of the operator's API, and what of it the stack makes. */
const API_VERSION = "v1";
const RESOURCES = ["clusters", "databases"];

/** Operators that the stack installs have the place to themselves; those that it does not are there. */
export const operators: Check = {
  name: "operators",
  about: "operators and their resource types",
  examine: async ({ settings: { postgres, monitoring }, cluster }) => {
    const findings = [
      ...(postgres?.mode === "cluster" ? await postgresFindings(postgres, cluster) : []),
      ...(monitoring.mode === "resources"
        ? monitoringFindings(await cluster.resources(MONITORING_GROUP, MONITORING_VERSION))
        : []),
    ];
    return findings.length === 0 ? [ok("the stack needs no operator")] : findings;
  },
};

async function postgresFindings(
  postgres: PostgresClusterSettings,
  cluster: ClusterReader,
): Promise<Finding[]> {
  return postgres.operator.install
    ? installFindings(postgres, await cluster.resourceType(`clusters.${OPERATOR_GROUP}`))
    : presentFindings(postgres, await presentOperator(postgres, cluster));
}

/** An operator that is there already. */
export interface PresentOperator {
  /** Resources of its API; undefined: none. */
  readonly served: readonly string[] | undefined;
  /** Images of its Deployment; undefined: nobody may see them. */
  readonly images: readonly string[] | undefined;
}

async function presentOperator(
  { operator }: PostgresClusterSettings,
  cluster: ClusterReader,
): Promise<PresentOperator> {
  return {
    served: await cluster.resources(OPERATOR_GROUP, API_VERSION),
    images: await cluster
      .deployedImages(operator.namespace, "app.kubernetes.io/name=cloudnative-pg")
      .catch(() => undefined),
  };
}

type Installed = Pick<PostgresClusterSettings, "operator">;

/** @param type the resource type of Postgres clusters; undefined: there is none */
export function installFindings(
  { operator }: Installed,
  type: { readonly annotations: Labels } | undefined,
): Finding[] {
  if (type === undefined) return [ok("no other CloudNativePG operator: the stack installs it")];
  const owner = {
    release: type.annotations["meta.helm.sh/release-name"],
    namespace: type.annotations["meta.helm.sh/release-namespace"],
  };
  if (owner.release === OPERATOR_RELEASE && owner.namespace === operator.namespace)
    return [ok(`CloudNativePG is release ${operator.namespace}/${OPERATOR_RELEASE} already`)];
  const whose =
    owner.release === undefined
      ? "not of a Helm release"
      : `of Helm release ${owner.namespace ?? "?"}/${owner.release}`;
  return [
    failed(
      `the resource types of CloudNativePG are there already, and ${whose}: a cluster takes one operator`,
      "set temporal-stack:postgres.operator.install to false, and namespace to that of the operator",
    ),
  ];
}

export function presentFindings(
  { operator }: Installed,
  { served, images: running }: PresentOperator,
): Finding[] {
  const missing = RESOURCES.filter((resource) => served?.includes(resource) !== true);
  if (missing.length > 0) {
    return [
      failed(
        `the cluster serves no ${missing.map((resource) => `${resource}.${OPERATOR_GROUP}`).join(", ")} of version ${API_VERSION}`,
        "an administrator installs CloudNativePG 1.25 or newer, or postgres.operator.install is true",
      ),
    ];
  }
  const where = `namespace ${operator.namespace}`;
  if (running === undefined || running.length === 0) {
    return [
      warning(
        `CloudNativePG's resource types are there; its operator ${running === undefined ? "cannot be seen" : "is not"} in ${where}`,
        "set temporal-stack:postgres.operator.namespace to where it runs: network policies open to that namespace",
      ),
    ];
  }
  const tested = images.cloudNativePgOperator.tag;
  const others = running.filter((image) => minorOf(image) !== minorOf(`:${tested}`));
  return others.length === 0
    ? [ok(`CloudNativePG runs in ${where}: ${running.join(", ")}`)]
    : [
        warning(
          `CloudNativePG in ${where} is ${others.join(", ")}; this program is tested with ${tested}`,
          `have it upgraded to ${tested}, or try the stack on a cluster with that version first`,
        ),
      ];
}

/** @param served resource types of the Prometheus operator's group; undefined: none */
export function monitoringFindings(served: readonly string[] | undefined): Finding[] {
  const missing = MONITORING_RESOURCES.filter((resource) => served?.includes(resource) !== true);
  return missing.length === 0
    ? [ok("the cluster has the resource types of the Prometheus operator")]
    : [
        failed(
          `monitoring.mode is resources, and the cluster serves no ${missing.map((resource) => `${resource}.${MONITORING_GROUP}`).join(", ")}`,
          "install the Prometheus operator, or set temporal-stack:monitoring.mode to none",
        ),
      ];
}
