import type { Rule } from "./accounts";
import { OPERATOR_RELEASE } from "./postgresOperatorManifests";

/** What CloudNativePG's chart makes outside namespaces; its ServiceAccount and first ClusterRole share a name. */
export const OPERATOR_ACCOUNT = `${OPERATOR_RELEASE}-cloudnative-pg`;
export const OPERATOR_ROLES = [OPERATOR_ACCOUNT, `${OPERATOR_ACCOUNT}-view`, `${OPERATOR_ACCOUNT}-edit`];
export const OPERATOR_WEBHOOKS = [
  "cnpg-mutating-webhook-configuration",
  "cnpg-validating-webhook-configuration",
];
/** API group of its resource types. */
export const OPERATOR_GROUP = "postgresql.cnpg.io";

const READ = ["get", "list", "watch"];
const rule = (apiGroup: string, resources: readonly string[], verbs: readonly string[]): Rule => ({
  apiGroups: [apiGroup],
  resources,
  verbs,
});

/**
 * Most that the operator's ClusterRoles may grant outside its own API group, in all namespaces: the rules of the
 * official chart 0.29.0 (`cloudnative-pg.clusterwideRules` and `cloudnative-pg.commonRules` in its `_helpers.tpl`).
 */
export const OPERATOR_PERMISSIONS: readonly Rule[] = [
  rule("", ["nodes"], READ),
  rule("", ["configmaps", "secrets", "services"], [...READ, "create", "delete", "patch", "update"]),
  rule("", ["configmaps/status", "secrets/status"], ["get", "patch", "update"]),
  rule("", ["events"], ["create", "patch"]),
  rule("", ["persistentvolumeclaims", "pods", "pods/exec"], [...READ, "create", "delete", "patch"]),
  rule("", ["pods/status"], ["get"]),
  rule("", ["serviceaccounts"], [...READ, "create", "patch", "update"]),
  rule(
    "admissionregistration.k8s.io",
    ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
    ["get", "patch"],
  ),
  rule("apps", ["deployments"], [...READ, "create", "delete", "patch", "update"]),
  rule("batch", ["jobs"], [...READ, "create", "delete", "patch"]),
  rule("coordination.k8s.io", ["leases"], [...READ, "create", "update"]),
  rule("discovery.k8s.io", ["endpointslices"], READ),
  rule("monitoring.coreos.com", ["podmonitors"], [...READ, "create", "delete", "patch"]),
  rule("policy", ["poddisruptionbudgets"], [...READ, "create", "delete", "patch", "update"]),
  rule("rbac.authorization.k8s.io", ["rolebindings", "roles"], [...READ, "create", "patch", "update"]),
  rule("snapshot.storage.k8s.io", ["volumesnapshots"], [...READ, "create", "patch"]),
];
