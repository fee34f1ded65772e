import { type Rule, stackAccounts } from "../components/manifests/accounts";
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

function rule({ apiGroups, resources, resourceNames, verbs }: Rule): string {
  const groups = apiGroups.filter((group) => group !== "");
  const names =
    resourceNames === undefined ? "" : ` ${resourceNames.map((name) => `\`${name}\``).join(", ")}`;
  return `${verbs.join(", ")} ${resources.join(", ")}${names}${groups.length === 0 ? "" : ` (${groups.join(", ")})`}`;
}
