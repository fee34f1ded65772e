import type { Settings } from "../../settings/settings";
import type { DeployerSubject } from "./deployer";
import { ownNamespaces } from "./flows";
import { stackLabels } from "./labels";
import {
  OPERATOR_ACCOUNT,
  OPERATOR_GROUP,
  OPERATOR_PERMISSIONS,
  OPERATOR_ROLES,
  OPERATOR_WEBHOOKS,
} from "./operatorPermissions";
import { POD_SECURITY_PREFIX } from "./podSecurity";

/** What a deployer may not write although RBAC, which knows verbs and names but no contents, would let it. */
export interface DeployerLimit {
  readonly name: string;
  readonly apiGroup: string;
  readonly resources: readonly string[];
  readonly operations: readonly ("CREATE" | "UPDATE")[];
  /** Only these objects are looked at. */
  readonly names?: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
  /** Each has to hold. */
  readonly expressions: readonly string[];
  /** What the API server answers. */
  readonly message: string;
}

type LimitSettings = Pick<Settings, "temporal" | "postgres" | "namespaces" | "stack" | "labels">;

/**
 * Admission policies (Kubernetes 1.30 and newer) that hold a deployer to what the program deploys. They do not
 * apply to somebody who may do everything anyway.
 *
 * @param name of the deployer's cluster role, which the policies' names begin with
 */
export function deployerAdmission(name: string, settings: LimitSettings, subject: DeployerSubject) {
  const labels = stackLabels(settings);
  return deployerLimits(settings).flatMap((limit) => [
    {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicy",
      metadata: { name: `${name}-${limit.name}`, labels },
      spec: {
        failurePolicy: "Fail",
        matchConstraints: {
          resourceRules: [
            {
              apiGroups: [limit.apiGroup],
              apiVersions: ["*"],
              operations: limit.operations,
              resources: limit.resources,
              ...(limit.names === undefined ? {} : { resourceNames: limit.names }),
            },
          ],
        },
        matchConditions: [
          { name: "deployer", expression: isSubject(subject) },
          {
            name: "no-administrator",
            expression: '!authorizer.group("*").resource("*").check("*").allowed()',
          },
        ],
        variables: Object.entries(limit.variables ?? {}).map(([name, expression]) => ({ name, expression })),
        validations: limit.expressions.map((expression) => ({
          expression,
          message: limit.message,
          reason: "Forbidden",
        })),
      },
    },
    {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: { name: `${name}-${limit.name}`, labels },
      spec: { policyName: `${name}-${limit.name}`, validationActions: ["Deny"] },
    },
  ]);
}

/** Every limit: of the stack's namespaces and, where the deployer installs it, of CloudNativePG's operator. */
export function deployerLimits(settings: LimitSettings): DeployerLimit[] {
  const { postgres } = settings;
  return [
    namespaceLimit(settings),
    ...(postgres?.mode === "cluster" && postgres.operator.install
      ? operatorLimits(postgres.operator.namespace)
      : []),
  ];
}

/** Labels and annotations of a namespace decide which pods it admits, and what other policies make of it. */
function namespaceLimit(settings: LimitSettings): DeployerLimit {
  const unchanged = (field: string, prefixes: readonly string[], keys: readonly string[]): string => {
    const free = `${cel(prefixes)}.exists(prefix, key.startsWith(prefix)) || key in ${cel(keys)}`;
    const [before, after] = [
      `oldObject.metadata.?${field}.orValue({})`,
      `object.metadata.?${field}.orValue({})`,
    ];
    return [
      `${after}.all(key, ${free} || (key in ${before} && ${before}[key] == ${after}[key]))`,
      `${before}.all(key, ${free} || key in ${after})`,
    ].join(" && ");
  };
  return {
    name: "namespaces",
    apiGroup: "",
    resources: ["namespaces"],
    operations: ["UPDATE"],
    names: ownNamespaces(settings),
    expressions: [
      unchanged(
        "labels",
        ["app.kubernetes.io/", "temporal-stack/"],
        Object.keys(settings.labels).filter((key) => !key.startsWith(POD_SECURITY_PREFIX)),
      ),
      unchanged("annotations", ["pulumi.com/"], ["kubectl.kubernetes.io/last-applied-configuration"]),
    ],
    message:
      "a deployer changes no labels and annotations of a namespace but those that the stack's settings name: an administrator applies what `npm run deployer` prints",
  };
}

/** The objects outside namespaces that CloudNativePG's chart makes: by name, and with nothing more in them. */
function operatorLimits(namespace: string): DeployerLimit[] {
  const rbac = { apiGroup: "rbac.authorization.k8s.io", operations: ["CREATE", "UPDATE"] } as const;
  const named = (names: readonly string[]) => `object.metadata.name in ${cel(names)}`;
  return [
    {
      ...rbac,
      name: "roles",
      resources: ["clusterroles"],
      variables: { permitted: cel(verbsByResource()) },
      expressions: [
        named(OPERATOR_ROLES),
        "!has(object.aggregationRule)",
        'object.metadata.?labels.orValue({}).all(key, !key.startsWith("rbac.authorization.k8s.io/"))',
        [
          "object.?rules.orValue([]).all(rule, rule.?nonResourceURLs.orValue([]).size() == 0",
          `rule.?apiGroups.orValue([]).all(group, group == ${cel(OPERATOR_GROUP)}`,
        ].join(" && ") +
          ' || rule.?resources.orValue([]).all(resource, rule.verbs.all(verb, verb in variables.permitted[?(group + "/" + resource)].orValue([])))))',
      ],
      message:
        "a deployer writes no ClusterRoles but those of CloudNativePG's operator, with no permissions that the operator does not need: an administrator installs an operator that needs others",
    },
    {
      ...rbac,
      name: "bindings",
      resources: ["clusterrolebindings"],
      expressions: [
        named([OPERATOR_ACCOUNT]),
        `object.roleRef.name == ${cel(OPERATOR_ACCOUNT)}`,
        `object.?subjects.orValue([]).all(subject, subject.kind == "ServiceAccount" && subject.name == ${cel(OPERATOR_ACCOUNT)} && subject.?namespace.orValue("") == ${cel(namespace)})`,
      ],
      message: "a deployer binds no ClusterRole but that of CloudNativePG's operator, and to nobody else",
    },
    {
      name: "resource-types",
      apiGroup: "apiextensions.k8s.io",
      resources: ["customresourcedefinitions"],
      operations: ["CREATE", "UPDATE"],
      expressions: [
        `object.spec.group == ${cel(OPERATOR_GROUP)}`,
        'object.spec.?conversion.?strategy.orValue("None") == "None"',
      ],
      message: "a deployer writes no CustomResourceDefinitions but those of CloudNativePG",
    },
    {
      name: "webhooks",
      apiGroup: "admissionregistration.k8s.io",
      resources: ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
      operations: ["CREATE", "UPDATE"],
      expressions: [
        named(OPERATOR_WEBHOOKS),
        `object.?webhooks.orValue([]).all(webhook, has(webhook.clientConfig.service) && webhook.clientConfig.service.namespace == ${cel(namespace)} && webhook.?rules.orValue([]).all(rule, rule.apiGroups.all(group, group == ${cel(OPERATOR_GROUP)})))`,
      ],
      message:
        "a deployer writes no admission webhooks but those of CloudNativePG's operator, for its own resource types",
    },
  ];
}

/** Verbs by `group/resource`. */
function verbsByResource(): Record<string, readonly string[]> {
  return Object.fromEntries(
    OPERATOR_PERMISSIONS.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.map((resource): [string, readonly string[]] => [`${group}/${resource}`, verbs]),
      ),
    ),
  );
}

function isSubject(subject: DeployerSubject): string {
  switch (subject.kind) {
    case "Group":
      return `${cel(subject.name)} in request.userInfo.groups`;
    case "User":
      return `request.userInfo.username == ${cel(subject.name)}`;
    case "ServiceAccount":
      return `request.userInfo.username == ${cel(`system:serviceaccount:${subject.namespace}:${subject.name}`)}`;
  }
}

/** A literal of the Common Expression Language: JSON is one. */
const cel = (value: unknown): string => JSON.stringify(value);
