import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { NAMESPACES_VARIABLE, wantedNamespaces } from "../manifests/temporalNamespacesManifests";
import type { ChartServerSettings } from "../../settings/settings";
import type { Succeeded } from "./record";
import { type Inputs, refusedUpdate } from "./refusal";

/** Temporal namespaces as they are deployed. */
export const deployedNamespaces = z.array(
  z.object({
    name: z.string(),
    retentionDays: z.number(),
    searchAttributes: z.record(z.string(), z.string()),
  }),
);
/** Deployed Temporal namespaces. */
export type DeployedNamespaces = z.output<typeof deployedNamespaces>;

/** A namespace that is wanted, and to which retention it may be shortened. */
type WantedNamespace = DeployedNamespaces[number] & {
  readonly shortenRetentionToDays?: number | undefined;
};

/** What is wrong with changing Temporal namespaces from what is deployed. */
export function temporalNamespaceProblems(
  deployed: DeployedNamespaces,
  wanted: readonly WantedNamespace[],
): string[] {
  return deployed.flatMap(({ name, retentionDays, searchAttributes }) => {
    const index = wanted.findIndex((namespace) => namespace.name === name);
    const next = wanted[index];
    if (next === undefined) {
      return [
        `temporal-stack:temporal.namespaces: deployed is a namespace "${name}", found none; its workflows would go on without description: set it back. To delete it with all its workflows, run \`temporal operator namespace delete --namespace ${name}\` once they are not needed, and keep the entry away with the next stack`,
      ];
    }
    const place = `temporal-stack:temporal.namespaces[${index}]`;
    const shorter =
      next.retentionDays < retentionDays && next.shortenRetentionToDays !== next.retentionDays
        ? [
            `${place}.retentionDays: deployed is ${retentionDays}, found ${next.retentionDays}; closed workflows older than that are deleted for good: set it back, or acknowledge with shortenRetentionToDays: ${next.retentionDays}`,
          ]
        : [];
    const attributes = Object.entries(searchAttributes).flatMap(([attribute, type]) => {
      const found = next.searchAttributes[attribute];
      return found === type
        ? []
        : [
            `${place}.searchAttributes.${attribute}: deployed is ${type}, found ${found ?? "nothing"}; Postgres keeps its column and old workflows their values: set it back, and take another name for another type`,
          ];
    });
    return [...shorter, ...attributes];
  });
}

const scheduleInputs = z.object({
  spec: z.object({
    jobTemplate: z.object({
      spec: z.object({
        template: z.object({
          spec: z.object({
            containers: z.array(
              z.object({ env: z.array(z.object({ name: z.string(), value: z.string().optional() })) }),
            ),
          }),
        }),
      }),
    }),
  }),
});

/** The namespaces in the inputs of the CronJob that keeps them; none where they are not ours. */
export function namespacesOfSchedule(inputs: Inputs): DeployedNamespaces {
  const parsed = scheduleInputs.safeParse(inputs);
  const variables = parsed.data?.spec.jobTemplate.spec.template.spec.containers.flatMap(({ env }) => env);
  const text = variables?.find(({ name }) => name === NAMESPACES_VARIABLE)?.value;
  if (text === undefined) return [];
  const value: unknown = JSON.parse(text);
  return deployedNamespaces.parse(value);
}

/** Refuses an update of the CronJob that would lose history or search attributes. */
export function namespacesGuard(
  { namespaces }: ChartServerSettings,
  succeeded: Promise<Succeeded>,
): pulumi.ResourceHookBinding {
  return refusedUpdate("temporal-namespaces-guard", succeeded, (inputs, last) =>
    temporalNamespaceProblems(
      succeededNamespaces(namespacesOfSchedule(inputs), namespaces, last),
      namespaces,
    ),
  );
}

/**
 * The namespaces that the server is known to have. What was only attempted, it may have refused, and the settings
 * would be locked in: it can be taken out again.
 */
function succeededNamespaces(
  attempted: DeployedNamespaces,
  wanted: readonly WantedNamespace[],
  { record, ever }: Succeeded,
): DeployedNamespaces {
  if (record !== undefined) return record.namespaces;
  if (ever) return attempted;
  return attempted
    .filter(({ name }) => wanted.some((namespace) => namespace.name === name))
    .map((namespace) => ({ ...namespace, searchAttributes: {} }));
}

/** The namespaces that the settings ask for. */
export function recordedNamespaces(server: Pick<ChartServerSettings, "namespaces">): DeployedNamespaces {
  return wantedNamespaces(server).map(({ name, retentionDays, searchAttributes }) => ({
    name,
    retentionDays,
    searchAttributes,
  }));
}
