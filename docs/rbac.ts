import { type Rule, stackAccounts } from "../components/manifests/accounts";
import { deployerClusterRules, deployerNamespaceRules } from "../components/manifests/deployer";
import { deployerLimits } from "../components/manifests/deployerAdmission";
import { ownNamespaces } from "../components/manifests/flows";
import type { Settings } from "../settings/settings";
import { samples } from "./samples";
import { markdownTable } from "./table";

/** What each ServiceAccount of the stack may ask of the API server. */
export function rbacPage(): string {
  return `${[
    "# Rights in the cluster",
    "Written by `npm run docs` from the table in `components/manifests/accounts.ts`, which tests compare with what is deployed; do not edit.",
    "Pods run as a ServiceAccount of their own. One without rights gets no token.",
    ...samples().flatMap(({ title, settings }) => [
      `## ${title}`,
      markdownTable(
        ["namespace", "account", "of", "rights"],
        stackAccounts(settings).map(({ name, namespace, of, rules }) => [
          `\`${namespace}\``,
          `\`${name}\``,
          of,
          rules.length === 0 ? "none" : rules.map(rule).join("; "),
        ]),
      ),
    ]),
    "## Who deploys",
    "`pulumi up` needs no administrator. `npm run --silent deployer -- -s STACK --group NAME | kubectl apply -f -`, run once by one (and again when a stack gets another namespace, label or mode), makes the stack's namespaces and gives a user, a group or a ServiceAccount these permissions and no other. The end-to-end tests deploy with them. The deployer should be an identity of its own: what it may write in the cluster as a whole is limited whatever else it may do there.",
    "Namespaces cannot be made with them, as the permission to make one cannot be bound to a name; where `deletionProtection` is on they cannot be deleted either.",
    deployerTable(),
    "### What RBAC cannot say",
    "RBAC knows verbs and names but no contents. Admission policies (`ValidatingAdmissionPolicy`, Kubernetes 1.30 or newer) come with the permissions and refuse the deployer, unless it is an administrator anyway:",
    deployerLimitsTable(),
    "`test/engine/deployer.test.ts` tries thirty ways past them on a real API server.",
    "### What the rest is worth",
    [
      "- **With `postgres.operator.install: false`** (an administrator installs the operator): the stack's namespaces and nothing outside them. In them the deployer is master: it reads every Secret, runs any image as any of their ServiceAccounts under Pod Security `restricted`, and opens their NetworkPolicies.",
      "- **With `postgres.operator.install: true`: the whole cluster.** The limits above stop accidents and every direct way. But the deployer may run a pod in the operator's namespace as the operator, which reads every Secret and makes pods in every namespace, those without Pod Security included. Nobody can install an operator with such permissions and be worth less. Give these permissions only to whom you would make an administrator; for anybody else install the operator separately. The same holds for `certManager.install: true`: cert-manager reads and writes every Secret, and its CA injector changes every webhook configuration.",
    ].join("\n"),
    "## Made by others",
    markdownTable(
      ["account", "made by", "rights"],
      [
        [
          "`cnpg-cloudnative-pg`",
          "chart of CloudNativePG",
          "a ClusterRole: its own resources, pods, Secrets, ConfigMaps, volumes, Jobs, PodDisruptionBudgets and Leases in all namespaces, nodes and webhook configurations; it makes databases for the whole cluster",
        ],
        [
          "`cert-manager`, `cert-manager-webhook`, `cert-manager-cainjector`",
          "chart of cert-manager, if the stack installs it",
          "ClusterRoles: certificates and their requests, every Secret, Ingresses and pods of ACME challenges; webhook configurations, API services and resource types, into which the CA injector writes certificates",
        ],
        [
          "`<postgres.name>`",
          "the operator, for each Postgres cluster",
          "a Role: its own Cluster, Databases, Secrets, ConfigMaps and Lease",
        ],
      ],
    ),
  ].join("\n\n")}\n`;
}

/** The rights of stack `prod`'s deployer. */
function deployerTable(): string {
  const settings = prodSettings();
  return markdownTable(
    ["where", "rights in stack `prod`"],
    [
      ...deployerClusterRules(settings).map((rights) => ["the cluster", rule(rights)]),
      ...ownNamespaces(settings).flatMap((namespace) =>
        deployerNamespaceRules(settings, namespace).map((rights) => [`\`${namespace}\``, rule(rights)]),
      ),
    ],
  );
}

/** What the admission policies of stack `prod`'s deployer refuse. */
function deployerLimitsTable(): string {
  return markdownTable(
    ["resources", "answer"],
    deployerLimits(prodSettings()).map(({ resources, names, message }) => [
      `${resources.join(", ")}${names === undefined ? "" : ` ${names.map((name) => `\`${name}\``).join(", ")}`}`,
      message,
    ]),
  );
}

/** Stack `prod` with a Postgres cluster and its operator. */
function prodSettings(): Settings {
  const { settings } = samples().find(({ settings }) => settings.postgres?.mode === "cluster") ?? {};
  if (settings === undefined) throw new Error("no sample has a Postgres cluster");
  return settings;
}

function rule({ apiGroups, resources, resourceNames, verbs }: Rule): string {
  const groups = apiGroups.filter((group) => group !== "");
  const names =
    resourceNames === undefined
      ? ""
      : ` ${resourceNames.map((name) => (name === "" ? "(any name, at creation)" : `\`${name}\``)).join(", ")}`;
  return `${verbs.join(", ")} ${resources.join(", ")}${names}${groups.length === 0 ? "" : ` (${groups.join(", ")})`}`;
}
