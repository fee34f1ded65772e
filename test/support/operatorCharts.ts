/** A rule of a chart: API groups, resources and verbs, each a list by spaces; with names, for these objects alone. */
type ChartRule = readonly [groups: string, resources: string, verbs: string, names?: string];

const ISSUERS = "cert-manager.io";
const ACME = "acme.cert-manager.io";
const READ = "get list watch";
const EVENTS: ChartRule = ["", "events", "create patch"];
const SECRETS: ChartRule = ["", "secrets", READ];

/** ClusterRoles of cert-manager's chart v1.21.2 without aggregation, as it renders them. */
const CERT_MANAGER_ROLES: Readonly<Record<string, readonly ChartRule[]>> = {
  "controller-issuers": [
    [ISSUERS, "issuers issuers/status", "update patch"],
    [ISSUERS, "issuers", READ],
    ["", "secrets", `${READ} create update delete`],
    EVENTS,
  ],
  "controller-clusterissuers": [
    [ISSUERS, "clusterissuers clusterissuers/status", "update patch"],
    [ISSUERS, "clusterissuers", READ],
    ["", "secrets", `${READ} create update delete`],
    EVENTS,
  ],
  "controller-certificates": [
    [
      ISSUERS,
      "certificates certificates/status certificaterequests certificaterequests/status",
      "update patch",
    ],
    [ISSUERS, "certificates certificaterequests clusterissuers issuers", READ],
    [ISSUERS, "certificates/finalizers certificaterequests/finalizers", "update"],
    [ACME, "orders", `create delete ${READ}`],
    ["", "secrets", `${READ} create update delete patch`],
    EVENTS,
  ],
  "controller-orders": [
    [ACME, "orders orders/status", "update patch"],
    [ACME, "orders challenges", READ],
    [ISSUERS, "clusterissuers issuers", READ],
    [ACME, "challenges", "create delete"],
    [ACME, "orders/finalizers", "update"],
    [ISSUERS, "clusterissuers/finalizers issuers/finalizers", "update"],
    SECRETS,
    EVENTS,
  ],
  "controller-challenges": [
    [ACME, "challenges challenges/status", "update patch"],
    [ACME, "challenges", READ],
    [ISSUERS, "issuers clusterissuers", READ],
    SECRETS,
    EVENTS,
    ["", "pods services", `${READ} create delete`],
    ["networking.k8s.io", "ingresses", `${READ} create delete update`],
    ["gateway.networking.k8s.io", "httproutes", `${READ} create delete update`],
    ["route.openshift.io", "routes/custom-host", "create"],
    [ACME, "challenges/finalizers", "update"],
  ],
  "controller-ingress-shim": [
    [ISSUERS, "certificates certificaterequests", "create update delete"],
    [ISSUERS, "certificates certificaterequests issuers clusterissuers", READ],
    ["networking.k8s.io", "ingresses", READ],
    ["networking.k8s.io", "ingresses/finalizers", "update"],
    ["gateway.networking.k8s.io", "gateways httproutes listenersets", READ],
    ["gateway.networking.k8s.io", "gateways/finalizers httproutes/finalizers", "update"],
    ["gateway.networking.k8s.io", "listenersets/finalizers", "update"],
    EVENTS,
  ],
  "controller-approve:cert-manager-io": [[ISSUERS, "signers", "approve"]],
  "controller-certificatesigningrequests": [
    ["certificates.k8s.io", "certificatesigningrequests", `${READ} update`],
    ["certificates.k8s.io", "certificatesigningrequests/status", "update patch"],
    ["certificates.k8s.io", "signers", "sign", "issuers.cert-manager.io/* clusterissuers.cert-manager.io/*"],
    ["authorization.k8s.io", "subjectaccessreviews", "create"],
  ],
  view: [
    [ISSUERS, "certificates certificaterequests issuers", READ],
    [ACME, "challenges orders", READ],
  ],
  edit: [
    [ISSUERS, "certificates certificaterequests issuers", "create delete deletecollection patch update"],
    [ISSUERS, "certificates/status", "update"],
    [ACME, "challenges", "delete deletecollection patch update"],
    [ACME, "orders", "delete deletecollection"],
  ],
  cainjector: [
    [ISSUERS, "certificates", READ],
    SECRETS,
    ["", "events", "get create update patch"],
    [
      "admissionregistration.k8s.io",
      "validatingwebhookconfigurations mutatingwebhookconfigurations",
      `${READ} update patch`,
    ],
    ["apiregistration.k8s.io", "apiservices", `${READ} update patch`],
    ["apiextensions.k8s.io", "customresourcedefinitions", `${READ} update patch`],
  ],
  "webhook:subjectaccessreviews": [["authorization.k8s.io", "subjectaccessreviews", "create"]],
};

/** The ClusterRole of the chart plugin-barman-cloud 0.7.0. */
const BARMAN_PLUGIN_ROLE: readonly ChartRule[] = [
  ["", "secrets", `create delete ${READ}`],
  ["barmancloud.cnpg.io", "objectstores", `create delete ${READ} patch update`],
  ["barmancloud.cnpg.io", "objectstores/finalizers", "update"],
  ["barmancloud.cnpg.io", "objectstores/status", "get patch update"],
  ["postgresql.cnpg.io", "backups", READ],
  ["postgresql.cnpg.io", "clusters/finalizers", "update"],
  ["rbac.authorization.k8s.io", "rolebindings roles", `create ${READ} patch update`],
];

/** Roles that the charts make in the namespace that they are installed into. */
const NAMESPACE_ROLES = {
  "cert-manager": {
    "cert-manager:leaderelection": [
      ["coordination.k8s.io", "leases", "get update patch", "cert-manager-controller"],
      ["coordination.k8s.io", "leases", "create"],
    ],
    "cert-manager-webhook:dynamic-serving": [
      ["", "secrets", `${READ} update`, "cert-manager-webhook-ca"],
      ["", "secrets", "create"],
    ],
    "cert-manager-startupapicheck:create-cert": [[ISSUERS, "certificaterequests", "create"]],
  },
  "cnpg-system": {
    "plugin-barman-cloud-leader-election-role": [
      ["", "configmaps", `${READ} create update patch delete`],
      ["coordination.k8s.io", "leases", `${READ} create update patch delete`],
      EVENTS,
    ],
  },
} satisfies Readonly<Record<string, Readonly<Record<string, readonly ChartRule[]>>>>;

const list = (words: string): string[] => words.split(" ");
const rulesOf = (rules: readonly ChartRule[]) =>
  rules.map(([groups, resources, verbs, names]) => ({
    apiGroups: list(groups),
    resources: list(resources),
    verbs: list(verbs),
    ...(names === undefined ? {} : { resourceNames: list(names) }),
  }));

const RBAC = "rbac.authorization.k8s.io";
const role = (kind: "Role" | "ClusterRole", metadata: object, rules: readonly ChartRule[]) => ({
  apiVersion: `${RBAC}/v1`,
  kind,
  metadata,
  rules: rulesOf(rules),
});
const binding = (
  kind: "Role" | "ClusterRole",
  metadata: object,
  of: string,
  account: { readonly name: string; readonly namespace: string },
) => ({
  apiVersion: `${RBAC}/v1`,
  kind: `${kind}Binding`,
  metadata,
  roleRef: { apiGroup: RBAC, kind, name: of },
  subjects: [{ kind: "ServiceAccount", ...account }],
});

const accountOf = (part: string): string =>
  /^(cainjector|webhook)/.exec(part)?.[0].replace(/^/, "cert-manager-") ?? "cert-manager";

const webhookOf = (kind: "Mutating" | "Validating", path: string) => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: `${kind}WebhookConfiguration`,
  metadata: {
    name: "cert-manager-webhook",
    annotations: { "cert-manager.io/inject-ca-from-secret": "cert-manager/cert-manager-webhook-ca" },
  },
  webhooks: [
    {
      name: "webhook.cert-manager.io",
      rules: [{ apiGroups: [ISSUERS], apiVersions: ["v1"], operations: ["CREATE"], resources: ["*/*"] }],
      admissionReviewVersions: ["v1"],
      sideEffects: "None",
      clientConfig: { service: { name: "cert-manager-webhook", namespace: "cert-manager", path } },
    },
  ],
});

/** What the charts of cert-manager and of the plugin make of roles, bindings and webhooks. */
export const OPERATOR_CHART_OBJECTS = [
  ...Object.entries(CERT_MANAGER_ROLES).flatMap(([part, rules]) => {
    const name = `cert-manager-${part}`;
    const account = { name: accountOf(part), namespace: "cert-manager" };
    return [
      role("ClusterRole", { name }, rules),
      ...(part === "view" || part === "edit" ? [] : [binding("ClusterRole", { name }, name, account)]),
    ];
  }),
  role("ClusterRole", { name: "plugin-barman-cloud" }, BARMAN_PLUGIN_ROLE),
  binding("ClusterRole", { name: "plugin-barman-cloud-binding" }, "plugin-barman-cloud", {
    name: "plugin-barman-cloud",
    namespace: "cnpg-system",
  }),
  ...Object.entries(NAMESPACE_ROLES).flatMap(([namespace, roles]) =>
    Object.entries(roles).flatMap(([name, rules]) => [
      role("Role", { name, namespace }, rules),
      binding("Role", { name, namespace }, name, { name: namespace, namespace }),
    ]),
  ),
  webhookOf("Mutating", "/mutate"),
  webhookOf("Validating", "/validate"),
];
