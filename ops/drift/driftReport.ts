import { clean } from "../report/clean";
import type { DriftedResource, HelmRelease, ResourceChange } from "../report/plan";
import { type ExitCode, exitCodes } from "../../common/exitCodes";
import { propertyLines, resourceText } from "../report/text";
import type { RunningEvaluation } from "./policies";
import type { ComparedResource, Comparison } from "./resources";
import type { ObjectManifest } from "./subset";
import { removal } from "./wayBack";

/** An object that a chart rendered, and that runs otherwise. */
export interface DriftedObject extends Comparison {
  readonly release: HelmRelease;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly manifest: ObjectManifest;
  readonly gone: boolean;
}

/** What runs otherwise than it was deployed. */
export interface DriftReport {
  readonly stack: string;
  readonly source: string;
  /** Resources of the stack that were compared. */
  readonly resources: number;
  /** Objects of Helm releases that were compared. */
  readonly objects: number;
  readonly driftedResources: readonly (ComparedResource | DriftedResource)[];
  readonly driftedObjects: readonly DriftedObject[];
  /** What this checkout would change besides: that is no drift. */
  readonly pending: readonly ResourceChange[];
  /** What policies say about what runs. */
  readonly policies: RunningEvaluation;
  /** What could not be compared, and why. */
  readonly unknowns: readonly string[];
}

/** What was found counts, also when not everything could be compared; a mandatory policy counts most. */
export function exitCodeOf({ driftedResources, driftedObjects, policies, unknowns }: DriftReport): ExitCode {
  if (policies.findings.some(({ level }) => level === "mandatory")) return exitCodes.refused;
  if (driftedResources.length + driftedObjects.length > 0) return exitCodes.changes;
  return unknowns.length > 0 ? exitCodes.failed : exitCodes.ok;
}

/** Renders a report for the terminal. */
export function render(report: DriftReport): string {
  const { driftedResources, driftedObjects, pending, policies, unknowns } = report;
  const found = driftedResources.length + driftedObjects.length;
  const lines = [
    `stack ${report.stack} (${report.source}): ${found === 0 ? "no drift found" : `${found} drifted`}; ` +
      `compared ${report.resources} resources and ${report.objects} objects of Helm releases; ` +
      `policies: ${policies.findings.length === 0 ? "nothing found" : `${policies.findings.length} found`} in ${policies.pods} running pods`,
  ];
  const section = (title: string, entries: readonly string[]): void => {
    if (entries.length > 0) lines.push("", title, ...entries);
  };
  section(
    "Resources of the stack; - as deployed, + as found",
    driftedResources.flatMap((resource) => [
      `  ${resourceText(resource, String)}${resource.gone ? " is gone" : ""}`,
      ...changeLines(resource),
    ]),
  );
  section(
    "Objects of Helm releases; - as deployed, + as found",
    driftedObjects.flatMap((object) => {
      const { release, kind, namespace, name, gone } = object;
      return [
        `  ${kind} ${namespace}/${name} of release ${release.namespace}/${release.name}${gone ? " is gone" : ""}`,
        ...changeLines(object),
      ];
    }),
  );
  section("To put it back", wayBack(report));
  section(
    "Policies that what runs breaks",
    policies.findings.flatMap(({ level, policy, resource, problem, fix }) => [
      `  ${level} ${policy}: ${resource}: ${problem}`,
      `    to do: ${fix}`,
    ]),
  );
  section(
    "Excepted from policies",
    policies.excepted.map(
      ({ policy, resource, problem, exception }) =>
        `  ${policy}: ${resource}: ${problem} (until ${exception.expires}, ${exception.owner}: ${exception.reason})`,
    ),
  );
  section(
    "Could not be compared",
    unknowns.map((text) => `  ${text}`),
  );
  if (pending.length > 0) {
    section("Not deployed yet, so no drift: what this checkout changes (npm run preview has the details)", [
      ...pending.map((resource) => `  ${resource.operation} ${resourceText(resource, String)}`),
    ]);
  }
  return clean(lines.join("\n"));
}

/** What differs, and who has written it. */
function changeLines(drifted: Pick<DriftedResource, "changes"> & Partial<Comparison>): string[] {
  const { changes, writers = {} } = drifted;
  return [
    ...changes.flatMap(propertyLines).map((line) => `    ${line}`),
    ...Object.entries(writers).map(([manager, paths]) => `      written by ${manager}: ${paths.join(", ")}`),
  ];
}

/** An update that changes an object also takes out of it what kubectl has added: the provider takes that over. */
const TAKEN_OVER = /^kubectl\b/;

/** Whether an update puts something back: what is gone, or what was declared and differs. */
const isRestored = ({ gone, changes }: DriftedResource): boolean =>
  gone || changes.some(({ old }) => old !== undefined);

/**
 * An update puts back what the stack has declared, over everybody who has written it since, if it is told to; what
 * others have added to objects that it does not change stays until it is taken out.
 */
function wayBack({ stack, driftedResources, driftedObjects }: DriftReport): string[] {
  const own = driftedResources.filter((resource) => "additions" in resource);
  const removals = [
    ...own.map((resource) => ({
      manifest: resource.manifest,
      additions: isRestored(resource)
        ? resource.additions.filter(({ manager }) => !TAKEN_OVER.test(manager))
        : resource.additions,
    })),
    ...driftedObjects,
  ].filter(({ additions }) => additions.length > 0);
  return [
    ...(driftedResources.some(isRestored)
      ? [
          "  what the stack has declared (or write into its settings what shall stay):",
          `    PULUMI_K8S_ENABLE_PATCH_FORCE=true pulumi up --refresh -s ${stack}`,
        ]
      : []),
    ...(removals.length === 0
      ? []
      : [
          "  what others have added (or accept them with --accept MANAGER):",
          ...removals.map(({ manifest, additions }) => `    ${removal(manifest, additions)}`),
        ]),
  ];
}
