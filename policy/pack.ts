import {
  PolicyPack,
  type ReportViolation,
  type ResourceValidationArgs,
  type ResourceValidationPolicy,
  type StackValidationArgs,
  type StackValidationPolicy,
} from "@pulumi/policy";
import { EXCEPTIONS_RULE, RULES } from "./catalogue";
import { exceptionFindings, type Finding, findingsOf, withExceptions } from "./evaluate";
import { levelOf, type Rule, type RuleText } from "./rule";
import { onRun, type Run, UNANNOUNCED } from "./run";
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

/** A policy as the SDK wants it. */
abstract class EnginePolicy implements ResourceValidationPolicy, StackValidationPolicy {
  readonly name: string;
  readonly description: string;
  readonly remediationSteps: string;

  constructor(private readonly text: RuleText) {
    this.name = text.id;
    this.description = `${text.title} ${text.reason}`;
    this.remediationSteps = text.fix;
  }

  /** Asked for after the run was announced. */
  get enforcementLevel() {
    return levelOf(this.text, run.stack);
  }

  readonly validateResource = (args: ResourceValidationArgs, reportViolation: ReportViolation): void => {
    const resource = shown(args);
    if (!run.preview) report(this.ofResource(resource), reportViolation);
  };

  readonly validateStack = (_: StackValidationArgs, reportViolation: ReportViolation): void => {
    report(this.ofStack([...subjects.values(), subjectOfConfiguration(run.plainText)]), reportViolation);
  };

  /** Findings before a resource is touched by an update. */
  protected abstract ofResource(resource: readonly Subject[]): readonly Finding[];

  /** Findings at the end: of a preview all that there are, of an update those that need the whole stack. */
  protected abstract ofStack(all: readonly Subject[]): readonly Finding[];
}

class RulePolicy extends EnginePolicy {
  constructor(private readonly rule: Rule) {
    super(rule);
  }

  protected ofResource(resource: readonly Subject[]): readonly Finding[] {
    return this.rule.scope === "resource" ? this.judge(resource) : [];
  }

  protected ofStack(all: readonly Subject[]): readonly Finding[] {
    return run.preview || this.rule.scope === "stack" ? this.judge(all) : [];
  }

  private judge(some: readonly Subject[]): readonly Finding[] {
    return withExceptions(findingsOf(this.rule, some, run.stack), context()).findings;
  }
}

class ExceptionsPolicy extends EnginePolicy {
  protected ofResource([subject]: readonly Subject[]): readonly Finding[] {
    return subject?.type === STACK_TYPE ? exceptionFindings(context()) : [];
  }

  protected ofStack(): readonly Finding[] {
    return run.preview ? exceptionFindings(context()) : [];
  }
}

new PolicyPack("temporal-stack", {
  policies: [new ExceptionsPolicy(EXCEPTIONS_RULE), ...RULES.map((rule) => new RulePolicy(rule))],
});
