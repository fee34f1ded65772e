import type { PolicyException } from "../settings/policyExceptions";
import { EXCEPTIONS_RULE, RULES } from "./catalogue";
import { exceptionFor, readExceptions } from "./exceptions";
import { type Level, levelOf, type Rule } from "./rule";
import { isDeclared, type Subject, subjectOfObject } from "./subject";

/** What a stack is judged by. */
export interface Context {
  /** Name of the stack: levels depend on it. */
  readonly stack: string;
  /** Today as `2026-11-26`. */
  readonly today: string;
  /** Value of `temporal-stack:policyExceptions`; undefined if there are none. */
  readonly exceptions?: unknown;
}

/** A broken policy. */
export interface Finding {
  /** Id of the policy. */
  readonly policy: string;
  readonly level: Exclude<Level, "disabled">;
  /** What breaks it, as an exception names it: a resource, `resource/part` or `Kind namespace/name`. */
  readonly resource: string;
  /** URN of the resource, if it is one. */
  readonly urn?: string;
  /** What is wrong. */
  readonly problem: string;
  /** Why that is bad. */
  readonly reason: string;
  /** What to do about it. */
  readonly fix: string;
}

/** A finding that somebody has excepted. */
export interface Excepted extends Finding {
  readonly exception: PolicyException;
}

/** What came of judging. */
export interface Evaluation {
  readonly findings: readonly Finding[];
  readonly excepted: readonly Excepted[];
}

const IDS = RULES.map(({ id }) => id);

/**
 * Everything that one policy finds, exceptions aside.
 * @param subjects the whole stack, or for a policy that looks at one resource at a time any part of it
 */
export function findingsOf(rule: Rule, subjects: readonly Subject[], stack: string): readonly Finding[] {
  const level = levelOf(rule, stack);
  if (level === "disabled") return [];
  const { id, reason, fix } = rule;
  const violations =
    rule.scope === "stack"
      ? rule.check(subjects)
      : subjects.flatMap((subject) => rule.check(subject).map((problem) => ({ ...problem, subject })));
  return violations.map(({ subject, part, text }) => ({
    policy: id,
    level,
    resource: part === undefined ? subject.name : `${subject.name}/${part}`,
    ...(subject.urn === undefined ? {} : { urn: subject.urn }),
    problem: text,
    reason,
    fix,
  }));
}

/** What is wrong with the exceptions themselves, as findings. */
export function exceptionFindings({ exceptions, today }: Context): readonly Finding[] {
  const { id, reason, fix } = EXCEPTIONS_RULE;
  return readExceptions(exceptions, today, IDS).problems.map((problem) => ({
    policy: id,
    level: "mandatory",
    resource: "configuration",
    problem,
    reason,
    fix,
  }));
}

/** Findings without those that exceptions let pass. */
export function withExceptions(findings: readonly Finding[], { exceptions, today }: Context): Evaluation {
  const { valid } = readExceptions(exceptions, today, IDS);
  const judged = findings.map((finding) => ({ finding, exception: exceptionFor(valid, finding) }));
  return {
    findings: judged.flatMap(({ finding, exception }) => (exception === undefined ? [finding] : [])),
    excepted: judged.flatMap(({ finding, exception }) =>
      exception === undefined ? [] : [{ ...finding, exception }],
    ),
  };
}

/** Judges a whole stack by all policies. */
export function evaluate(subjects: readonly Subject[], context: Context): Evaluation {
  return evaluationOf(
    RULES.flatMap((rule) => findingsOf(rule, subjects, context.stack)),
    context,
  );
}

/**
 * Judges Kubernetes objects, running ones or rendered ones. What a controller or the program has made was judged
 * as it was declared: of that, only those policies are looked at that hold for each pod. What only the program
 * knows, like protection from deletion, is not judged.
 * @param objects Kubernetes objects; what is none is left out
 */
export function evaluateObjects(objects: readonly unknown[], context: Context): Evaluation {
  const subjects = objects.flatMap((object) => subjectOfObject(object) ?? []);
  const declared = new Set(subjects.filter(isDeclared).map(({ name }) => name));
  return evaluationOf(
    RULES.flatMap((rule) => {
      const findings = findingsOf(rule, subjects, context.stack);
      const eachPod = rule.scope === "stack" && rule.eachPod === true;
      return eachPod ? findings : findings.filter(({ resource }) => !declared.has(resource));
    }),
    context,
  );
}

function evaluationOf(found: readonly Finding[], context: Context): Evaluation {
  const { findings, excepted } = withExceptions(found, context);
  return { findings: [...exceptionFindings(context), ...findings], excepted };
}
