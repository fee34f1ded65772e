import type { Settings } from "../../settings/settings";
import type { Rule } from "./accounts";
import { BARMAN_PLUGIN_RELEASE } from "./barmanPluginManifests";
import { CERT_MANAGER_RELEASE } from "./certManagerManifests";
import {
  OPERATOR_ACCOUNT,
  OPERATOR_GROUP,
  OPERATOR_PERMISSIONS,
  OPERATOR_ROLES,
  OPERATOR_WEBHOOKS,
} from "./operatorPermissions";
import { PLUGIN_GROUP } from "./postgresBackupsManifests";
import { WEBHOOK_GATE_RULES } from "./postgresOperatorManifests";

/** What the chart of something that serves the whole cluster makes outside namespaces, and may grant. */
export interface InstalledOperator {
  readonly namespace: string;
  /** API groups of its resource types. */
  readonly groups: readonly string[];
  /** Its ClusterRoles by name, each with the most that it may grant outside those groups, in all namespaces. */
  readonly roles: Readonly<Record<string, readonly Rule[]>>;
  /** Its ClusterRoleBindings by name. */
  readonly bindings: Readonly<Record<string, { readonly role: string; readonly account: string }>>;
  /** Names of its admission webhooks. */
  readonly webhooks: readonly string[];
  /** What its Roles and RoleBindings grant in its namespace. */
  readonly namespaceRules: readonly Rule[];
}

/** Everything of the kind that a stack installs. */
export function installedOperators({
  postgres,
  certManager,
}: Pick<Settings, "postgres" | "certManager">): InstalledOperator[] {
  return [
    ...(postgres?.mode === "cluster" && postgres.operator.install
      ? [cloudNativePg(postgres.operator.namespace)]
      : []),
    ...(postgres?.mode === "cluster" && postgres.backup?.plugin.install === true
      ? [barmanPlugin(postgres.operator.namespace)]
      : []),
    ...(certManager.install ? [certManagerOf(certManager.namespace)] : []),
  ];
}

function cloudNativePg(namespace: string): InstalledOperator {
  return {
    namespace,
    groups: [OPERATOR_GROUP],
    roles: Object.fromEntries(OPERATOR_ROLES.map((name) => [name, OPERATOR_PERMISSIONS])),
    bindings: { [OPERATOR_ACCOUNT]: { role: OPERATOR_ACCOUNT, account: OPERATOR_ACCOUNT } },
    webhooks: OPERATOR_WEBHOOKS,
    namespaceRules: WEBHOOK_GATE_RULES,
  };
}

const READ = ["get", "list", "watch"];
const EVENTS = rule("", ["events"], ["create", "patch"]);
const SECRETS = rule("", ["secrets"], [...READ, "create", "update", "delete", "patch"]);

/** The permissions of the plugin's chart (`templates/rbac.yaml` and `templates/additional-rbac`), and its certificates. */
function barmanPlugin(namespace: string): InstalledOperator {
  const name = BARMAN_PLUGIN_RELEASE;
  const manage = [...READ, "create", "delete", "patch", "update"];
  return {
    namespace,
    groups: [PLUGIN_GROUP],
    roles: {
      [name]: [
        rule("", ["secrets"], [...READ, "create", "delete"]),
        rule(OPERATOR_GROUP, ["backups"], READ),
        rule(OPERATOR_GROUP, ["clusters/finalizers"], ["update"]),
        rule("rbac.authorization.k8s.io", ["rolebindings", "roles"], [...READ, "create", "patch", "update"]),
      ],
      [`${name}-metrics-auth-role`]: [
        rule("authentication.k8s.io", ["tokenreviews"], ["create"]),
        rule("authorization.k8s.io", ["subjectaccessreviews"], ["create"]),
      ],
      [`${name}-metrics-reader`]: [],
      [`${name}-objectstore-editor-role`]: [],
      [`${name}-objectstore-viewer-role`]: [],
    },
    bindings: {
      [`${name}-binding`]: { role: name, account: name },
      [`${name}-metrics-auth-rolebinding`]: { role: `${name}-metrics-auth-role`, account: name },
    },
    webhooks: [],
    namespaceRules: [
      rule("coordination.k8s.io", ["leases"], manage),
      EVENTS,
      rule("cert-manager.io", ["certificates", "issuers"], manage),
    ],
  };
}

/** The permissions of the official chart v1.21.2 (`templates/*rbac.yaml`) outside its own API groups. */
function certManagerOf(namespace: string): InstalledOperator {
  const controller = {
    "controller-issuers": [SECRETS, EVENTS],
    "controller-clusterissuers": [SECRETS, EVENTS],
    "controller-certificates": [SECRETS, EVENTS],
    "controller-orders": [rule("", ["secrets"], READ), EVENTS],
    "controller-challenges": [
      rule("", ["secrets"], READ),
      EVENTS,
      rule("", ["pods", "services"], [...READ, "create", "delete"]),
      rule("networking.k8s.io", ["ingresses"], [...READ, "create", "delete", "update"]),
      rule("gateway.networking.k8s.io", ["httproutes"], [...READ, "create", "delete", "update"]),
      rule("route.openshift.io", ["routes/custom-host"], ["create"]),
    ],
    "controller-ingress-shim": [
      rule("networking.k8s.io", ["ingresses"], READ),
      rule("networking.k8s.io", ["ingresses/finalizers"], ["update"]),
      rule("gateway.networking.k8s.io", ["gateways", "httproutes", "listenersets"], READ),
      rule(
        "gateway.networking.k8s.io",
        ["gateways/finalizers", "httproutes/finalizers", "listenersets/finalizers"],
        ["update"],
      ),
      EVENTS,
    ],
    "controller-approve:cert-manager-io": [],
    "controller-certificatesigningrequests": [
      rule("certificates.k8s.io", ["certificatesigningrequests"], [...READ, "update"]),
      rule("certificates.k8s.io", ["certificatesigningrequests/status"], ["update", "patch"]),
      rule("certificates.k8s.io", ["signers"], ["sign"]),
      rule("authorization.k8s.io", ["subjectaccessreviews"], ["create"]),
    ],
  };
  const change = [...READ, "update", "patch"];
  const injector = [
    rule("", ["secrets"], READ),
    rule("", ["events"], ["get", "create", "update", "patch"]),
    rule(
      "admissionregistration.k8s.io",
      ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"],
      change,
    ),
    rule("apiregistration.k8s.io", ["apiservices"], change),
    rule("apiextensions.k8s.io", ["customresourcedefinitions"], change),
  ];
  const name = CERT_MANAGER_RELEASE;
  const bound = {
    ...Object.fromEntries(Object.keys(controller).map((role) => [`${name}-${role}`, name])),
    [`${name}-cainjector`]: `${name}-cainjector`,
    [`${name}-webhook:subjectaccessreviews`]: `${name}-webhook`,
  };
  return {
    namespace,
    groups: ["cert-manager.io", "acme.cert-manager.io"],
    roles: {
      ...Object.fromEntries(Object.entries(controller).map(([role, rules]) => [`${name}-${role}`, rules])),
      [`${name}-view`]: [],
      [`${name}-edit`]: [],
      [`${name}-cainjector`]: injector,
      [`${name}-webhook:subjectaccessreviews`]: [
        rule("authorization.k8s.io", ["subjectaccessreviews"], ["create"]),
      ],
    },
    bindings: Object.fromEntries(Object.entries(bound).map(([role, account]) => [role, { role, account }])),
    webhooks: [`${name}-webhook`],
    namespaceRules: [
      rule("coordination.k8s.io", ["leases"], ["get", "create", "update", "patch"]),
      rule("cert-manager.io", ["certificaterequests"], ["create"]),
    ],
  };
}

function rule(apiGroup: string, resources: readonly string[], verbs: readonly string[]): Rule {
  return { apiGroups: [apiGroup], resources, verbs };
}
