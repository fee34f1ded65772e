import { createHash } from "node:crypto";
import type * as pulumi from "@pulumi/pulumi";
import type { ChartServerSettings, Settings, TemporalNamespaceSettings } from "../../settings/settings";
import { placementOf } from "../../settings/scheduling";
import { scriptPod } from "./jobs";
import { type Identity, objectLabels } from "./labels";
import { frontendAddress, TEMPORAL_UID } from "./temporalNames";

/** The job that keeps Temporal namespaces as the settings describe them. */
export const NAMESPACE_RECONCILER: Identity = {
  name: "temporal-namespaces",
  instance: "temporal",
  component: "reconciler",
};

/** Where the job finds the wanted namespaces, as JSON: guards read there what is deployed. */
export const NAMESPACES_VARIABLE = "WANTED_NAMESPACES";

/** Wanted namespaces in a fixed order, without acknowledgements: those ask for nothing. */
export function wantedNamespaces({ namespaces }: Pick<ChartServerSettings, "namespaces">) {
  return namespaces
    .map(({ name, retentionDays, description, searchAttributes }) => ({
      name,
      retentionDays,
      description,
      searchAttributes: Object.fromEntries(
        Object.entries(searchAttributes).sort(([a], [b]) => (a < b ? -1 : 1)),
      ),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Shell script that makes what is missing and puts back what was changed. The admin tools have a shell, the
 * Temporal CLI and nothing to read JSON with, so the wanted state is written into the script.
 */
export function namespacesScript(settings: Pick<ChartServerSettings, "namespaces">): string {
  return [
    // The frontend of a fresh release needs a moment for its caches.
    "attempt=0",
    "until temporal operator cluster health >/dev/null 2>&1; do",
    "  attempt=$((attempt + 1))",
    '  if [ "$attempt" -ge 60 ]; then echo "the Temporal frontend at $TEMPORAL_ADDRESS is not healthy:" >&2; temporal operator cluster health >&2; exit 1; fi',
    "  sleep 2",
    "done",
    ...wantedNamespaces(settings).flatMap(namespaceCommands),
    'echo "all Temporal namespaces are as described"',
  ].join("\n");
}

function namespaceCommands({
  name,
  retentionDays,
  description,
  searchAttributes,
}: Omit<TemporalNamespaceSettings, "shortenRetentionToDays">): string[] {
  const wanted = `--namespace '${name}' --retention ${retentionDays * 24}h --description '${description}'`;
  const attributes = Object.entries(searchAttributes);
  return [
    `if temporal operator namespace describe --namespace '${name}' >/dev/null 2>&1; then temporal operator namespace update ${wanted}; else temporal operator namespace create ${wanted}; fi`,
    // Every server pod learns of a new namespace when its cache is refreshed, which is every 10 s.
    ...(attributes.length === 0
      ? []
      : [
          "attempt=0",
          `until temporal operator search-attribute list --namespace '${name}' >/tmp/attributes 2>/tmp/error; do`,
          "  attempt=$((attempt + 1))",
          '  if [ "$attempt" -ge 30 ]; then cat /tmp/error >&2; exit 1; fi',
          "  sleep 2",
          "done",
          `missing=""`,
          ...attributes.flatMap(([attribute, type]) => [
            // Lines of the list are "name type".
            `found=$(awk '$1 == "${attribute}" { print $2 }' /tmp/attributes)`,
            `if [ -z "$found" ]; then missing="$missing --name ${attribute} --type ${type}"; elif [ "$found" != "${type}" ]; then echo "search attribute ${attribute} of namespace ${name} has type $found and cannot become ${type}: choose another name in temporal.namespaces" >&2; exit 1; fi`,
          ]),
          // Unquoted on purpose: a list of words that the settings have checked.
          `if [ -n "$missing" ]; then temporal operator search-attribute create --namespace '${name}' $missing; fi`,
        ]),
  ];
}

/** Seconds for images, a frontend that starts, and all commands. */
const DEADLINE_SECONDS = 600;

/** The job that runs the script; guards read the wanted namespaces from its environment. */
export function namespacesJob(
  settings: Pick<Settings, "temporal" | "namespaces" | "stack" | "labels" | "scheduling">,
  server: ChartServerSettings,
  serviceAccount: pulumi.Input<string>,
) {
  return {
    backoffLimit: 3,
    activeDeadlineSeconds: DEADLINE_SECONDS,
    template: {
      metadata: { labels: objectLabels(settings, NAMESPACE_RECONCILER) },
      spec: scriptPod({
        name: "namespaces",
        image: server.images.adminTools,
        user: TEMPORAL_UID,
        script: namespacesScript(server),
        serviceAccount,
        placement: placementOf(settings, "jobs"),
        env: [
          { name: "TEMPORAL_ADDRESS", value: frontendAddress(settings) },
          { name: "HOME", value: "/tmp" },
          { name: NAMESPACES_VARIABLE, value: JSON.stringify(wantedNamespaces(server)) },
        ],
      }),
    },
  };
}

/** Name of the job: another one for each change, as a job runs only once. */
export function reconcilerName(
  settings: Pick<Settings, "temporal" | "namespaces" | "stack" | "labels" | "scheduling">,
  server: ChartServerSettings,
): string {
  const content = JSON.stringify(namespacesJob(settings, server, ""));
  return `${NAMESPACE_RECONCILER.name}-${createHash("sha256").update(content).digest("hex").slice(0, 10)}`;
}
