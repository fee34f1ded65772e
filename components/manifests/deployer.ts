import type { Settings } from "../../settings/settings";
import type { Rule } from "./accounts";
import { clientNamespaceRules } from "./clientManifests";
import { ownNamespaces } from "./flows";
import { RESERVED_LABEL, stackLabels } from "./labels";
import { deployerAdmission } from "./deployerAdmission";
import { type InstalledOperator, installedOperators } from "./installedOperators";
import { OPERATOR_GROUP } from "./operatorPermissions";
import { MONITORING_GROUP, MONITORING_RESOURCES } from "./podMonitorManifests";
import { PLUGIN_GROUP } from "./postgresBackupsManifests";
import { RESTRICTED_NAMESPACE } from "./podSecurity";

/** Name of the deployer's roles and bindings. */
export const DEPLOYER = "temporal-stack-deployer";

/** Who deploys: a user, a group of an identity provider, or a ServiceAccount. */
export type DeployerSubject =
  | { readonly kind: "User" | "Group"; readonly name: string }
  | { readonly kind: "ServiceAccount"; readonly name: string; readonly namespace: string };

type DeployerSettings = Pick<
  Settings,
  | "clients"
  | "temporal"
  | "postgres"
  | "certManager"
  | "monitoring"
  | "namespaces"
  | "networkAccess"
  | "stack"
  | "labels"
  | "deletionProtection"
>;

const READ = ["get", "list", "watch"];
const MANAGE = [...READ, "create", "patch", "update", "delete"];
const RBAC_GROUP = "rbac.authorization.k8s.io";
/** A request to create an object is authorized before the object is read: no name, to RBAC, is the empty one. */
const UNNAMED = "";

/**
 * Permissions of a deployer in each of the stack's namespaces: the kinds that the program and its charts make, what
 * Pulumi and Helm await, and what the first workflow and the diagnosis of failures need.
 */
export function deployerNamespaceRules(settings: DeployerSettings, namespace: string): Rule[] {
  const { monitoring, networkAccess, postgres, temporal } = settings;
  const cluster = postgres?.mode === "cluster" ? postgres : undefined;
  const installed = installedOperators(settings).filter((operator) => operator.namespace === namespace);
  const hasCluster = cluster !== undefined && namespace === settings.namespaces.temporal;
  return [
    rule("", ["configmaps", "persistentvolumeclaims", "secrets", "serviceaccounts", "services"], MANAGE),
    rule("apps", ["deployments"], MANAGE),
    rule("autoscaling", ["horizontalpodautoscalers"], MANAGE),
    rule("batch", ["cronjobs", "jobs"], MANAGE),
    rule("networking.k8s.io", ["networkpolicies"], MANAGE),
    ...(networkAccess.cilium ? [rule("cilium.io", ["ciliumnetworkpolicies"], MANAGE)] : []),
    rule("policy", ["poddisruptionbudgets"], MANAGE),
    ...(temporal.mode === "chart" && temporal.ui.ingress !== undefined
      ? [rule("networking.k8s.io", ["ingresses"], MANAGE)]
      : []),
    rule("", ["endpoints", "events", "pods", "pods/log"], READ),
    rule("apps", ["replicasets"], READ),
    rule("discovery.k8s.io", ["endpointslices"], READ),
    rule("events.k8s.io", ["events"], READ),
    // By WebSocket it is a get, by SPDY a create.
    rule("", ["pods/portforward"], ["create", "get"]),
    ...(hasCluster ? [rule(OPERATOR_GROUP, ["clusters", "databases"], MANAGE)] : []),
    ...(hasCluster && cluster.backup !== undefined
      ? [
          rule(OPERATOR_GROUP, ["backups", "scheduledbackups"], MANAGE),
          rule(PLUGIN_GROUP, ["objectstores"], MANAGE),
        ]
      : []),
    ...(monitoring.mode === "resources" ? [rule(MONITORING_GROUP, MONITORING_RESOURCES, MANAGE)] : []),
    // Nobody may give away what he does not have.
    ...(installed.length > 0 ? [rule(RBAC_GROUP, ["rolebindings", "roles"], MANAGE)] : []),
    ...installed.flatMap(({ namespaceRules }) => namespaceRules),
  ];
}

/**
 * Permissions of a deployer in the cluster as a whole. Namespaces exist before: they come with these permissions.
 * Whoever installs an operator can run pods as its account, which reads every Secret and, CloudNativePG's, makes pods in
 * every namespace, and must be trusted as much: with `install: false` that is an administrator, and nothing of it is here. What is in the objects, {@link deployerAdmission} limits.
 */
export function deployerClusterRules(settings: DeployerSettings): Rule[] {
  const { postgres, deletionProtection } = settings;
  const verbs = [...READ, "patch", "update", ...(deletionProtection ? [] : ["delete"])];
  return [
    { ...rule("", ["namespaces"], verbs), resourceNames: ownNamespaces(settings) },
    // Which cluster this is.
    { ...rule("", ["namespaces"], ["get"]), resourceNames: ["kube-system"] },
    // Whether those of clients are there.
    ...(settings.clients.length === 0
      ? []
      : [
          {
            ...rule("", ["namespaces"], ["get"]),
            resourceNames: settings.clients.map(({ namespace }) => namespace),
          },
        ]),
    // Pulumi's provider watches all of them until a deleted one is gone, and waits for ever where it may not.
    ...(deletionProtection ? [] : [rule("", ["namespaces"], ["list", "watch"])]),
    ...(postgres?.mode === "cluster" ? [rule("storage.k8s.io", ["storageclasses"], ["list"])] : []),
    ...operatorRules(installedOperators(settings)),
  ];
}

function operatorRules(operators: readonly InstalledOperator[]): Rule[] {
  if (operators.length === 0) return [];
  const roles = operators.flatMap((operator) => Object.keys(operator.roles));
  const bindings = operators.flatMap((operator) => Object.keys(operator.bindings));
  const bound = operators.flatMap((operator) => Object.values(operator.bindings).map(({ role }) => role));
  const change = ["get", "list", "watch", "patch", "update", "delete"];
  const webhooks = ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"];
  return [
    rule("apiextensions.k8s.io", ["customresourcedefinitions"], [...READ, "create", "patch", "update"]),
    rule(RBAC_GROUP, ["clusterroles", "clusterrolebindings"], ["create"]),
    { ...rule(RBAC_GROUP, ["clusterroles"], ["bind"]), resourceNames: [...new Set(bound)] },
    { ...rule(RBAC_GROUP, ["clusterroles"], ["escalate"]), resourceNames: [UNNAMED, ...roles] },
    {
      ...rule(RBAC_GROUP, ["clusterroles", "clusterrolebindings"], change),
      resourceNames: [...new Set([...roles, ...bindings])],
    },
    rule("admissionregistration.k8s.io", webhooks, ["create"]),
    {
      ...rule("admissionregistration.k8s.io", webhooks, change),
      resourceNames: operators.flatMap((operator) => operator.webhooks),
    },
  ];
}

/**
 * What an administrator applies once before somebody who is none deploys the stack: its namespaces, which are
 * reserved for it by a label, that somebody's permissions, and the admission policies that limit them.
 */
export function deployerObjects(settings: DeployerSettings, subject: DeployerSubject) {
  const labels = stackLabels(settings);
  const subjects = subject.kind === "ServiceAccount" ? [subject] : [{ ...subject, apiGroup: RBAC_GROUP }];
  const own = ownNamespaces(settings);
  return [
    ...own.map((name) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name, labels: { ...labels, ...RESTRICTED_NAMESPACE, [RESERVED_LABEL]: settings.stack } },
    })),
    {
      apiVersion: `${RBAC_GROUP}/v1`,
      kind: "ClusterRole",
      metadata: { name: clusterRoleName(settings), labels },
      rules: deployerClusterRules(settings),
    },
    {
      apiVersion: `${RBAC_GROUP}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name: clusterRoleName(settings), labels },
      roleRef: { apiGroup: RBAC_GROUP, kind: "ClusterRole", name: clusterRoleName(settings) },
      subjects,
    },
    ...deployerAdmission(clusterRoleName(settings), settings, subject),
    ...deployerRoles(settings).flatMap(({ name, namespace, rules }) => [
      { apiVersion: `${RBAC_GROUP}/v1`, kind: "Role", metadata: { name, namespace, labels }, rules },
      {
        apiVersion: `${RBAC_GROUP}/v1`,
        kind: "RoleBinding",
        metadata: { name, namespace, labels },
        roleRef: { apiGroup: RBAC_GROUP, kind: "Role", name },
        subjects,
      },
    ]),
  ];
}

/** What a deployer may do in each namespace; several stacks may have the same client. */
export function deployerRoles(
  settings: DeployerSettings,
): { readonly name: string; readonly namespace: string; readonly rules: Rule[] }[] {
  return [
    ...ownNamespaces(settings).map((namespace) => ({
      name: DEPLOYER,
      namespace,
      rules: deployerNamespaceRules(settings, namespace),
    })),
    ...settings.clients.map((client) => ({
      name: clusterRoleName(settings),
      namespace: client.namespace,
      rules: clientNamespaceRules(client),
    })),
  ];
}

/** Several stacks may share a cluster. */
const clusterRoleName = ({ stack }: DeployerSettings): string => `${DEPLOYER}-${stack}`;

function rule(apiGroup: string, resources: readonly string[], verbs: readonly string[]): Rule {
  return { apiGroups: [apiGroup], resources, verbs };
}
