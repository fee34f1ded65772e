import {
  PolicyPack,
  type ReportViolation,
  type ResourceValidation,
  type ResourceValidationArgs,
  type ResourceValidationPolicy,
  type StackValidation,
} from "@pulumi/policy";
import { EXCEPTIONS_RULE, RULES } from "./catalogue";
import { exceptionFindings, type Finding, findingsOf, withExceptions } from "./evaluate";
import { type Level, levelOf, type Rule, type RuleText } from "./rule";
import { onRun, type Run, skipUnread, UNANNOUNCED } from "./announcedRun";
import { type Subject, subjectOfConfiguration, subjectOfResource } from "./subject";
import { mappingAt, plainCopy } from "./values";

/*
 * Policies for Pulumi's engine. In a preview, which changes nothing, everything is said at its end: one refusal
 * names every problem. In an update each resource is judged before it is touched.
 */

const STACK_TYPE = "pulumi:pulumi:Stack";

let run: Run = UNANNOUNCED;
/** Resources by URN, with the inputs that the engine has shown: outputs know less in a preview. */
const subjects = new Map<string, Subject>();

onRun((announced) => {
  run = announced;
  subjects.clear();
});
skipUnread();

/** The resource, and with the stack itself its settings. */
function shown({ urn, name, type, props, opts }: ResourceValidationArgs): readonly Subject[] {
  let subject = subjects.get(urn);
  if (subject === undefined) {
    const inputs = mappingAt(plainCopy(props));
    subject = subjectOfResource({ urn, name, type, inputs, protect: opts.protect });
    subjects.set(urn, subject);
  }
  return type === STACK_TYPE ? [subject, subjectOfConfiguration(run.plainText)] : [subject];
}

function allShown(): readonly Subject[] {
  return [...subjects.values(), subjectOfConfiguration(run.plainText)];
}

function context() {
  return {
    stack: run.stack,
    today: new Date().toISOString().slice(0, 10),
    exceptions: run.exceptions,
  };
}

function report(findings: readonly Finding[], reportViolation: ReportViolation): void {
  for (const { resource, problem, fix, urn } of findings) {
    reportViolation(`${resource}: ${problem}.\nTo do: ${fix}.`, urn);
  }
}

/**
 * A policy as the SDK wants it. Properties are asked for after the run was announced, and the SDK unpacks the
 * resource, or all of them, for each function that it finds: so it finds none where there is nothing to do.
 */
abstract class EnginePolicy implements ResourceValidationPolicy {
  readonly name: string;
  readonly description: string;
  readonly remediationSteps: string;

  constructor(private readonly text: RuleText) {
    this.name = text.id;
    this.description = `${text.title} ${text.reason}`;
    this.remediationSteps = text.fix;
  }

  get enforcementLevel(): Level {
    return levelOf(this.text, run.stack);
  }

  /** Judges a resource before an update touches it. */
  abstract get validateResource(): ResourceValidation | ResourceValidation[];

  /** Judges at the end: of a preview all resources, of an update what needs all of them. */
  abstract get validateStack(): StackValidation | undefined;
}

class RulePolicy extends EnginePolicy {
  constructor(private readonly rule: Rule) {
    super(rule);
  }

  get validateResource(): ResourceValidation | ResourceValidation[] {
    if (run.preview || this.rule.scope === "stack") return [];
    return (args, reportViolation) => report(this.judge(shown(args)), reportViolation);
  }

  get validateStack(): StackValidation | undefined {
    if (!run.preview && this.rule.scope === "resource") return undefined;
    // The first question comes before the first resource.
    const findings = subjects.size === 0 ? undefined : this.judge(allShown());
    if (findings?.length === 0) return undefined;
    return (_, reportViolation) => {
      if (findings === undefined)
        reportViolation(`no resource was shown: ${EXCEPTIONS_RULE.id} collects them`);
      else report(findings, reportViolation);
    };
  }

  private judge(some: readonly Subject[]): readonly Finding[] {
    const findings = findingsOf(this.rule, some, run.stack);
    return findings.length === 0 ? findings : withExceptions(findings, context()).findings;
  }
}

/** The first policy of the pack: it also collects what the others judge at the end. */
class ExceptionsPolicy extends EnginePolicy {
  readonly validateResource: ResourceValidation = (args, reportViolation) => {
    shown(args);
    if (!run.preview && args.type === STACK_TYPE) report(exceptionFindings(context()), reportViolation);
  };

  get validateStack(): StackValidation | undefined {
    if (!run.preview) return undefined;
    const findings = exceptionFindings(context());
    // The first question comes before the first resource.
    if (subjects.size > 0 && findings.length === 0) return undefined;
    return (_, reportViolation) => report(findings, reportViolation);
  }
}

new PolicyPack("temporal-stack", {
  policies: [new ExceptionsPolicy(EXCEPTIONS_RULE), ...RULES.map((rule) => new RulePolicy(rule))],
});
