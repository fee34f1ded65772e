import { EVERYWHERE, kindRule, type StackRule } from "../rule";
import { at, isSet, listAt, maybe, textAt, UNKNOWN } from "../values";
import { describe } from "../workload";
import { workloadsOf } from "../workloads";

const ROLES = ["Role", "ClusterRole"];
const BINDINGS = ["RoleBinding", "ClusterRoleBinding"];

/** Verbs with which an account can extend its own permissions. */
const ESCALATING_VERBS = ["escalate", "bind", "impersonate"];
/** Subresources that run a program inside a pod, or give a token away. */
const ESCALATING_RESOURCES = ["pods/exec", "pods/attach", "serviceaccounts/token"];
const EVERYBODY = [
  "system:authenticated",
  "system:unauthenticated",
  "system:anonymous",
  "system:serviceaccounts",
];

/** Whether somebody grants permissions to a ServiceAccount; unknown names may be its name. */
function hasRights(bindings: readonly unknown[], namespace: unknown, account: unknown): boolean {
  return bindings
    .flatMap((binding) => listAt(binding, "subjects"))
    .some(
      (subject) =>
        at(subject, "kind") === "ServiceAccount" &&
        maybe(at(subject, "namespace"), namespace) &&
        (account === UNKNOWN || maybe(at(subject, "name"), account)),
    );
}

/** Whether a pod that does not say so itself is kept from the token by its ServiceAccount; unknown names may be its. */
function isWithheld(accounts: readonly unknown[], namespace: unknown, name: unknown): boolean {
  return accounts
    .filter((account) => maybe(at(account, "metadata", "namespace"), namespace))
    .filter((account) => name === UNKNOWN || maybe(at(account, "metadata", "name"), name ?? "default"))
    .some((account) => maybe(at(account, "automountServiceAccountToken"), false));
}

export const accountRules = [
  {
    id: "service-account-token",
    title: "Only pods whose ServiceAccount has permissions mount its token.",
    reason: "A token opens the API server's door; one without a purpose is there for intruders alone.",
    fix: "set automountServiceAccountToken: false, or bind a Role to the ServiceAccount that needs it",
    levels: EVERYWHERE,
    scope: "stack",
    check: (subjects) => {
      const bindings = subjects
        .filter(({ kind = "" }) => BINDINGS.includes(kind))
        .map(({ object }) => object);
      const accounts = subjects.filter(({ kind }) => kind === "ServiceAccount").map(({ object }) => object);
      return subjects
        .flatMap(workloadsOf)
        .filter(({ controlled, hidden }) => !controlled && !hidden.includes("account"))
        .filter(({ namespace, spec }) => {
          // The pod's own word counts, and where it has none, its account's.
          const mounts = spec["automountServiceAccountToken"];
          if (isSet(mounts)) return mounts === true;
          return !isWithheld(accounts, namespace, spec["serviceAccountName"]);
        })
        .filter(({ namespace, spec }) => !hasRights(bindings, namespace, spec["serviceAccountName"]))
        .map((workload) => ({
          subject: workload.subject,
          part: workload.part,
          text: `${describe(workload)} mounts a token without any permissions`,
        }));
    },
  } satisfies StackRule,
  kindRule(
    {
      id: "no-wildcard-rights",
      title: "Roles name their API groups, resources and verbs.",
      reason: "`*` covers what does not exist yet: the next resource with a password in it.",
      fix: "list what the account does; `kubectl auth can-i --list` shows what it may",
      levels: EVERYWHERE,
    },
    ROLES,
    (object) =>
      ["apiGroups", "resources", "verbs", "nonResourceURLs"]
        .filter((key) => listAt(object, "rules").some((rule) => listAt(rule, key).includes("*")))
        .map((key) => `has the wildcard * in ${key}`),
  ),
  kindRule(
    {
      id: "no-escalation",
      title: "Roles and bindings let nobody extend their own permissions.",
      reason:
        "Whoever may bind roles, start programs in pods or list Secrets has the permissions of them all.",
      fix: "remove the permission; read single Secrets by resourceNames; bind no role of the cluster's administrators",
      levels: EVERYWHERE,
    },
    [...ROLES, ...BINDINGS],
    (object) => [...escalatingRights(object), ...escalatingBinding(object)],
  ),
];

function escalatingRights(object: unknown): string[] {
  return listAt(object, "rules").flatMap((rule) => {
    const [verbs, resources] = [listAt(rule, "verbs"), listAt(rule, "resources")];
    const readsAll =
      verbs.some((verb) => verb === "list" || verb === "watch") && resources.includes("secrets");
    return [
      ...ESCALATING_VERBS.filter((verb) => verbs.includes(verb)).map((verb) => `may ${verb}`),
      ...ESCALATING_RESOURCES.filter((name) => resources.includes(name)).map((name) => `may use ${name}`),
      ...(readsAll && listAt(rule, "resourceNames").length === 0 ? ["may list all Secrets"] : []),
    ];
  });
}

function escalatingBinding(object: unknown): string[] {
  const role = textAt(object, "roleRef", "name");
  const subjects = listAt(object, "subjects").map((subject) => textAt(subject, "name"));
  return [
    ...(role === "cluster-admin" || role === "admin" ? [`binds ${role}`] : []),
    ...(subjects.some((name) => name !== undefined && EVERYBODY.includes(name)) ? ["binds everybody"] : []),
  ];
}
