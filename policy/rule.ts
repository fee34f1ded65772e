import type { Subject } from "./subject";
import { textAt } from "./values";
import type { Workload } from "./workload";
import { workloadsOf } from "./workloads";

/** What happens when a rule is broken. */
export type Level = "disabled" | "advisory" | "mandatory";

/** Levels by stack. A stack of another name is judged as `prod`. */
export type Levels = Readonly<Record<"local" | "dev" | "prod", Level>>;

/** Advice where things are tried out, refusal in production. */
export const EVERYWHERE: Levels = { local: "advisory", dev: "advisory", prod: "mandatory" };
/** For what costs too much on a single machine. */
export const SHARED: Levels = { local: "disabled", dev: "advisory", prod: "mandatory" };
/** For what only production needs. */
export const PRODUCTION: Levels = { local: "disabled", dev: "disabled", prod: "mandatory" };

/** What a rule is, in words. */
export interface RuleText {
  /** Lower case with hyphens; never changes, as exceptions name it. */
  readonly id: string;
  /** What must hold, one sentence. */
  readonly title: string;
  /** What goes wrong otherwise. */
  readonly reason: string;
  /** What to do about it. */
  readonly fix: string;
  readonly levels: Levels;
}

/** A broken rule. Never holds a value that may be secret. */
export interface Problem {
  /** Part of the subject: the role of a chart. */
  readonly part?: string | undefined;
  readonly text: string;
}

/** A broken rule, where a rule looks at the whole stack. */
export interface Violation extends Problem {
  readonly subject: Subject;
}

/** A rule that looks at one resource at a time. */
export interface ResourceRule extends RuleText {
  readonly scope: "resource";
  check(subject: Subject): readonly Problem[];
}

/** A rule that needs to see the whole stack. */
export interface StackRule extends RuleText {
  readonly scope: "stack";
  /** Whether it holds for each running pod, not only for what declares the pods. */
  readonly eachPod?: boolean;
  check(subjects: readonly Subject[]): readonly Violation[];
}

/** A policy. */
export type Rule = ResourceRule | StackRule;

/** The level of a rule on a stack. */
export function levelOf({ levels }: Pick<RuleText, "levels">, stack: string): Level {
  return stack === "local" || stack === "dev" ? levels[stack] : levels.prod;
}

/**
 * A rule about Kubernetes objects of some kinds.
 * @param check what is wrong with one, one text a problem
 */
export function kindRule(
  text: RuleText,
  kinds: readonly string[],
  check: (object: Subject["object"], subject: Subject) => readonly string[],
): ResourceRule {
  return {
    ...text,
    scope: "resource",
    check: (subject) =>
      subject.kind !== undefined && kinds.includes(subject.kind)
        ? check(subject.object, subject).map((problem) => ({ text: problem }))
        : [],
  };
}

/** A rule about pods, those of charts and operators included as far as their settings are visible. */
export function podRule(text: RuleText, check: (workload: Workload) => readonly string[]): ResourceRule {
  return {
    ...text,
    scope: "resource",
    check: (subject) =>
      workloadsOf(subject)
        .filter((workload) => !workload.controlled)
        .flatMap((workload) => check(workload).map((problem) => ({ part: workload.part, text: problem }))),
  };
}

/** A rule about each container of a pod, init containers included. */
export function containerRule(
  text: RuleText,
  check: (container: unknown, workload: Workload) => string | undefined,
): ResourceRule {
  return podRule(text, (workload) =>
    workload.containers.flatMap((container) => {
      const problem = check(container, workload);
      return problem === undefined ? [] : [`${nameOf(container)} ${problem}`];
    }),
  );
}

function nameOf(container: unknown): string {
  const name = textAt(container, "name");
  return name === undefined ? "a container" : `container ${name}`;
}
