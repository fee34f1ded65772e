import type { Settings } from "../../settings/settings";
import type { DeployerSubject } from "./deployer";
import { ownNamespaces } from "./flows";
import { stackLabels } from "./labels";
import { type InstalledOperator, installedOperators } from "./installedOperators";
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

type LimitSettings = Pick<
  Settings,
  "clients" | "temporal" | "postgres" | "certManager" | "namespaces" | "stack" | "labels"
>;

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

/** Every limit: of the stack's namespaces and of the operators that the deployer installs. */
export function deployerLimits(settings: LimitSettings): DeployerLimit[] {
  const operators = installedOperators(settings);
  return [
    namespaceLimit(settings),
    ...(settings.clients.length > 0 ? [clientLimit(settings)] : []),
    ...(operators.length > 0 ? operatorLimits(operators) : []),
  ];
}

/**
 * RBAC limits no name of what is created: a Secret of the type of an account's token would be filled with the token of
 * any account there. Names are those that RBAC lets the deployer change, so that other stacks with the same client, and
 * who deploys the client too, go on as they do.
 */
function clientLimit({ clients }: LimitSettings): DeployerLimit {
  const resource = 'authorizer.group("").resource(request.resource.resource).namespace(request.namespace)';
  const free = `!(request.namespace in ${cel(clients.map(({ namespace }) => namespace))}) || variables.unlimited`;
  return {
    name: "clients",
    apiGroup: "",
    resources: ["configmaps", "secrets"],
    operations: ["CREATE", "UPDATE"],
    variables: { unlimited: `${resource}.check("update").allowed()` },
    expressions: [
      `${free} || ${resource}.name(object.metadata.name).check("update").allowed()`,
      `${free} || request.kind.kind != "Secret" || object.?type.orValue("Opaque") == "Opaque"`,
      `${free} || !("kubernetes.io/service-account.name" in object.metadata.?annotations.orValue({}))`,
    ],
    message:
      "a deployer writes nothing into the namespace of a client but the ConfigMap and the Secret that `clients` of the stack's settings names",
  };
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

/** The objects outside namespaces that the operators' charts make: by name, and with nothing more in them. */
function operatorLimits(operators: readonly InstalledOperator[]): DeployerLimit[] {
  const rbac = { apiGroup: "rbac.authorization.k8s.io", operations: ["CREATE", "UPDATE"] } as const;
  const named = (names: readonly string[]) => `object.metadata.name in ${cel(names)}`;
  const roles = operators.flatMap((operator) => Object.keys(operator.roles));
  const bindings = operators.flatMap(({ namespace, bindings }) =>
    Object.entries(bindings).map(([name, { role, account }]) => [name, [role, account, namespace]] as const),
  );
  const groups = operators.flatMap((operator) => operator.groups);
  const webhooks = operators.flatMap((operator) =>
    operator.webhooks.map((name) => [name, operator.namespace] as const),
  );
  return [
    {
      ...rbac,
      name: "roles",
      resources: ["clusterroles"],
      variables: { permitted: cel(permittedVerbs(operators)), own: cel(ownGroups(operators)) },
      expressions: [
        named(roles),
        "!has(object.aggregationRule)",
        'object.metadata.?labels.orValue({}).all(key, !key.startsWith("rbac.authorization.k8s.io/"))',
        [
          'object.?rules.orValue([]).all(rule, rule.?nonResourceURLs.orValue([]).all(url, url == "/metrics")',
          'rule.?apiGroups.orValue([]).all(group, object.metadata.name + "/" + group in variables.own',
        ].join(" && ") +
          ' || rule.?resources.orValue([]).all(resource, rule.verbs.all(verb, verb in variables.permitted[?(object.metadata.name + "/" + group + "/" + resource)].orValue([])))))',
      ],
      message:
        "a deployer writes no ClusterRoles but those of the operators that the stack installs, with no permissions that they do not need: an administrator installs an operator that needs others",
    },
    {
      ...rbac,
      name: "bindings",
      resources: ["clusterrolebindings"],
      variables: { bindings: cel(Object.fromEntries(bindings)) },
      expressions: [
        named(bindings.map(([name]) => name)),
        "object.roleRef.name == variables.bindings[object.metadata.name][0]",
        'object.?subjects.orValue([]).all(subject, subject.kind == "ServiceAccount" && subject.name == variables.bindings[object.metadata.name][1] && subject.?namespace.orValue("") == variables.bindings[object.metadata.name][2])',
      ],
      message:
        "a deployer binds no ClusterRoles but those of the operators that the stack installs, and to nobody else",
    },
    {
      name: "resource-types",
      apiGroup: "apiextensions.k8s.io",
      resources: ["customresourcedefinitions"],
      operations: ["CREATE", "UPDATE"],
      expressions: [
        `object.spec.group in ${cel(groups)}`,
        'object.spec.?conversion.?strategy.orValue("None") == "None"',
      ],
      message:
        "a deployer writes no CustomResourceDefinitions but those of the operators that the stack installs",
    },
    {
      name: "webhooks",
      apiGroup: "admissionregistration.k8s.io",
      resources: ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
      operations: ["CREATE", "UPDATE"],
      variables: { namespaces: cel(Object.fromEntries(webhooks)) },
      expressions: [
        named(webhooks.map(([name]) => name)),
        `object.?webhooks.orValue([]).all(webhook, has(webhook.clientConfig.service) && webhook.clientConfig.service.namespace == variables.namespaces[object.metadata.name] && webhook.?rules.orValue([]).all(rule, rule.apiGroups.all(group, group in ${cel(groups)})))`,
      ],
      message:
        "a deployer writes no admission webhooks but those of the operators that the stack installs, for their own resource types",
    },
  ];
}

/** Verbs by `role/group/resource`. */
function permittedVerbs(operators: readonly InstalledOperator[]): Record<string, readonly string[]> {
  const verbs = new Map<string, readonly string[]>();
  for (const { roles } of operators) {
    for (const [role, rules] of Object.entries(roles)) {
      for (const rule of rules) {
        for (const group of rule.apiGroups) {
          for (const resource of rule.resources) verbs.set(`${role}/${group}/${resource}`, rule.verbs);
        }
      }
    }
  }
  return Object.fromEntries(verbs);
}

/** In which groups a ClusterRole may grant everything, as `role/group`. */
const ownGroups = (operators: readonly InstalledOperator[]): string[] =>
  operators.flatMap(({ roles, groups }) =>
    Object.keys(roles).flatMap((role) => groups.map((group) => `${role}/${group}`)),
  );

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
