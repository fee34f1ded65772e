import { type ExitCode, exitCodes } from "../../common/exitCodes";
import type { ConfigChange } from "./configChanges";
import type { PolicyEvent } from "./events";
import { type Impact, impactOf } from "./impact";
import { sortMessages } from "./messages";
import { type Move, scalingMoves, versionMoves } from "./moves";
import type { Operation, Plan, ResourceChange } from "./plan";

/** Exit codes by what a preview came to. */
export const verdictCodes = {
  unchanged: exitCodes.ok,
  changed: exitCodes.changes,
  refused: exitCodes.refused,
  failed: exitCodes.failed,
} as const satisfies Record<string, ExitCode>;
/** What a preview came to. */
export type Verdict = keyof typeof verdictCodes;

/** A resource that is deleted or replaced, and what goes with it. */
export interface Loss {
  readonly resource: ResourceChange;
  readonly impact: Impact | undefined;
}

/** What a change would do, for people who decide about it. */
export interface Report {
  readonly stack: string;
  /** Whose CLI and backend. */
  readonly source: string;
  readonly verdict: Verdict;
  /** Whether the preview came to its end. */
  readonly complete: boolean;
  readonly counts: Readonly<Record<Operation | "unchanged", number>>;
  readonly refusals: readonly string[];
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly unknowns: readonly string[];
  readonly policies: {
    readonly mandatory: readonly PolicyEvent[];
    readonly advisory: readonly PolicyEvent[];
  };
  /** `name version` of the packs that ran. */
  readonly policyPacks: readonly string[];
  /** What holds data first, then what interrupts workflows. */
  readonly losses: readonly Loss[];
  readonly versions: readonly Move[];
  readonly scaling: readonly Move[];
  readonly config: readonly ConfigChange[];
  readonly resources: readonly ResourceChange[];
}

/** What a report is made from. */
export interface Findings {
  readonly stack: string;
  readonly source: string;
  readonly plan: Plan;
  /** Whether the CLI ended well. */
  readonly succeeded: boolean;
  readonly config: readonly ConfigChange[];
  /** What could not be found out beside the preview, in sentences. */
  readonly unknowns: readonly string[];
}

/** Makes the report of a preview. */
export function reportOf({ stack, source, plan, succeeded, config, unknowns }: Findings): Report {
  const { resources, policies } = plan;
  const messages = sortMessages(plan.diagnostics);
  const mandatory = policies.filter(({ enforcementLevel }) => enforcementLevel === "mandatory");
  const refused = messages.refusals.length + mandatory.length > 0;
  const late = resources.reduce((sum, resource) => sum + resource.unknowns, 0);
  const complete = plan.finished && succeeded;
  const { causes, consequences } = messages.errors;
  return {
    stack,
    source,
    verdict: verdictOf({
      refused,
      failed: !complete || causes.length > 0,
      changed: resources.length > 0,
    }),
    complete,
    counts: countsOf(plan),
    refusals: messages.refusals,
    warnings: messages.warnings,
    errors:
      complete || refused || causes.length > 0
        ? causes
        : consequences.length > 0
          ? consequences
          : ["the preview ended without saying why"],
    unknowns: [
      ...unknowns,
      ...messages.unknowns,
      ...(complete ? [] : ["what comes after the point at which the preview stopped"]),
      ...(late === 0 ? [] : [`${late} ${late === 1 ? "value" : "values"} that only the update will know`]),
    ],
    policies: { mandatory, advisory: policies.filter((found) => !mandatory.includes(found)) },
    policyPacks: Object.entries(plan.policyPacks).map(([name, version]) =>
      // The engine calls a pack of a folder `name|local|folder`.
      `${name.split("|")[0] ?? name} ${version}`.trim(),
    ),
    losses: lossesOf(resources),
    versions: versionMoves(resources),
    scaling: scalingMoves(resources),
    config,
    resources,
  };
}

function verdictOf(found: { refused: boolean; failed: boolean; changed: boolean }): Report["verdict"] {
  if (found.refused) return "refused";
  if (found.failed) return "failed";
  return found.changed ? "changed" : "unchanged";
}

function countsOf({ resources, unchanged }: Plan): Report["counts"] {
  const counts = { create: 0, update: 0, replace: 0, delete: 0, import: 0, unchanged };
  for (const { operation } of resources) counts[operation]++;
  return counts;
}

function lossesOf(resources: readonly ResourceChange[]): Loss[] {
  const order = ({ impact }: Loss) => (impact === undefined ? 2 : impact.kind === "data" ? 0 : 1);
  return resources
    .filter(({ operation, component }) => !component && (operation === "delete" || operation === "replace"))
    .map((resource) => ({ resource, impact: impactOf(resource) }))
    .sort((one, other) => order(one) - order(other));
}
