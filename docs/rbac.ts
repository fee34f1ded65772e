import { type Rule, stackAccounts } from "../components/manifests/accounts";
import { deployerClusterRules, deployerNamespaceRules } from "../components/manifests/deployer";
import { ownNamespaces } from "../components/manifests/flows";
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
    "`pulumi up` needs no administrator. `npm run --silent deployer -- -s STACK --group NAME | kubectl apply -f -`, run once by one (and again when a stack gets another namespace or mode), makes the stack's namespaces and gives a user, a group or a ServiceAccount these rights and no other. The end-to-end tests deploy with them.",
    "Namespaces cannot be made with them, as the right to make one cannot be bound to a name; where `deletionProtection` is on they cannot be deleted either. Whoever installs the operator of CloudNativePG makes a ClusterRole that reads every Secret, and has to be trusted as much: with `postgres.operator.install: false` an administrator installs it, and the rows with CustomResourceDefinitions, ClusterRoles and webhooks fall away.",
    deployerTable(),
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
  const { settings } = samples().find(({ settings }) => settings.postgres?.mode === "cluster") ?? {};
  if (settings === undefined) throw new Error("no sample has a Postgres cluster");
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

function rule({ apiGroups, resources, resourceNames, verbs }: Rule): string {
  const groups = apiGroups.filter((group) => group !== "");
  const names =
    resourceNames === undefined ? "" : ` ${resourceNames.map((name) => `\`${name}\``).join(", ")}`;
  return `${verbs.join(", ")} ${resources.join(", ")}${names}${groups.length === 0 ? "" : ` (${groups.join(", ")})`}`;
}
