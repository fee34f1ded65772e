import { lt, valid } from "semver";
import { z } from "zod";
import { rule } from "./fields";
import { placementSettings } from "./placement";

const placement = z.strictObject(placementSettings);
/** Where some pods run. */
export type Placement = z.output<typeof placement>;

const of = (pods: string) =>
  placement.prefault({}).describe(`${pods}; each field takes the place of default's.`);

/** Oldest Temporal chart whose pods take a priority class (temporalio/helm-charts, #949). */
const CHART_WITH_PRIORITIES = "1.7.0";

/** Where the pods of the stack run. */
export const scheduling = z
  .strictObject({
    default: placement.prefault({}).describe("Every pod of the stack."),
    frontend: of("Pods of the server's role frontend"),
    history: of("Pods of the server's role history"),
    matching: of("Pods of the server's role matching"),
    worker: of("Pods of the server's own role worker, which runs no workflows of yours"),
    ui: of("Pods of the Temporal UI"),
    postgres: of("Postgres instances and the jobs that make them"),
    operator: of("Pods of the operators that the stack installs, CloudNativePG's and cert-manager"),
    jobs: of(
      "Jobs of this program and of the Temporal chart, which takes only nodeSelector and tolerations for its own, and the admin tools",
    ),
    workers: of("Pods of every worker group, whose own `pod` takes precedence, and of the codec server"),
  })
  .prefault({});

/** A part of the stack that is placed by itself. */
export type Part = Exclude<keyof z.output<typeof scheduling>, "default">;

/** Where the pods of a part run. */
export function placementOf(
  settings: { readonly scheduling: z.output<typeof scheduling> },
  part: Part,
): Placement {
  const { default: fallback, [part]: own } = settings.scheduling;
  const set = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  return { ...fallback, ...set };
}

/** Whether the pods of a version of the Temporal chart take a priority class. */
export const takesPriorities = (chartVersion: string): boolean =>
  valid(chartVersion) === null || !lt(chartVersion, CHART_WITH_PRIORITIES);

interface Sections {
  readonly scheduling: z.output<typeof scheduling>;
  readonly temporal: { readonly mode: string; readonly chartVersion?: string };
}

/** What a chart would leave out without a word. */
export function schedulingProblems(settings: Sections) {
  const { chartVersion = CHART_WITH_PRIORITIES } = settings.temporal;
  if (takesPriorities(chartVersion)) return [];
  const parts = (["frontend", "history", "matching", "worker", "ui"] as const).filter(
    (part) => placementOf(settings, part).priorityClassName !== undefined,
  );
  const places = parts.map((part) =>
    settings.scheduling[part].priorityClassName === undefined ? "default" : part,
  );
  return [...new Set(places)].map((place) =>
    rule(
      `does not reach the pods of the Temporal chart ${chartVersion}, which has no key for it; set temporal.chartVersion to ${CHART_WITH_PRIORITIES} or newer, or set it for postgres, operator, jobs and workers only`,
      ["scheduling", place, "priorityClassName"],
    ),
  );
}
