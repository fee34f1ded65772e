import { isMapping, type Mapping } from "../../settings/mapping";
import { type DiagnosticEvent, type PolicyEvent, readEvent, type StepEvent } from "./events";
import { propertyChanges, type PropertyChange } from "./propertyChanges";
import { UNKNOWN } from "./values";

/** What is done with a resource. A replacement is one, however many steps the engine takes for it. */
export type Operation = "create" | "update" | "replace" | "delete" | "import";

/** A resource that an update would touch. */
export interface ResourceChange {
  readonly urn: string;
  /** Such as `kubernetes:apps/v1:Deployment`. */
  readonly type: string;
  /** Types of the components that it is in, outermost first. */
  readonly components: readonly string[];
  /** Its name in the program. */
  readonly name: string;
  /** `namespace/name` of a Kubernetes object or Helm release. */
  readonly object: string | undefined;
  /** Chart of a Helm release. */
  readonly chart: string | undefined;
  readonly operation: Operation;
  /** Whether it is only a group of others, with nothing of its own anywhere. */
  readonly component: boolean;
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  /** Properties because of which it is replaced. */
  readonly reasons: readonly string[];
  readonly changes: readonly PropertyChange[];
  /** How many values only the update will know. */
  readonly unknowns: number;
}

/** A resource that is found in the cluster otherwise than the last update left it. */
export interface DriftedResource {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly object: string | undefined;
  readonly gone: boolean;
  readonly changes: readonly PropertyChange[];
}

/** A Helm release of the stack. */
export interface HelmRelease {
  readonly urn: string;
  readonly namespace: string;
  readonly name: string;
}

/** A preview, as far as a report needs it. */
export interface Plan {
  readonly resources: readonly ResourceChange[];
  /** Found by `--refresh`. */
  readonly drifted: readonly DriftedResource[];
  readonly releases: readonly HelmRelease[];
  /** Kubernetes namespaces that the stack declares, by name. */
  readonly namespaces: readonly string[];
  /** Resources that stay as they are. */
  readonly unchanged: number;
  readonly diagnostics: readonly DiagnosticEvent[];
  readonly policies: readonly PolicyEvent[];
  /** Policy packs that ran: versions by name. */
  readonly policyPacks: Readonly<Record<string, string>>;
  /** Whether the engine came to an end. */
  readonly finished: boolean;
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  create: "create",
  update: "update",
  replace: "replace",
  "create-replacement": "replace",
  "delete-replaced": "replace",
  "read-replacement": "replace",
  "import-replacement": "replace",
  delete: "delete",
  import: "import",
};

const STACK = "pulumi:pulumi:Stack";
const NAMESPACE = "kubernetes:core/v1:Namespace";

/** Gathers a plan from the lines of a preview. Of each line only what a report needs is kept. */
export class PlanReader {
  private readonly resources = new Map<string, ResourceChange>();
  private readonly drifted = new Map<string, DriftedResource>();
  private readonly releases = new Map<string, HelmRelease>();
  private readonly namespaces = new Set<string>();
  private readonly same = new Set<string>();
  private readonly diagnostics: DiagnosticEvent[] = [];
  private readonly policies = new Map<string, PolicyEvent>();
  private policyPacks: Readonly<Record<string, string>> = {};
  private finished = false;

  /** @param onResource receives the URN of each resource that the engine comes to */
  constructor(private readonly onResource: (urn: string) => void = () => undefined) {}

  /** @throws Failure as {@link readEvent} */
  add(line: string): void {
    const event = readEvent(line);
    if (event === undefined) return;
    if (event.resourcePreEvent !== undefined) {
      this.onResource(event.resourcePreEvent.metadata.urn);
      this.addStep(event.resourcePreEvent.metadata);
    }
    if (event.resOutputsEvent !== undefined) this.addRefreshed(event.resOutputsEvent.metadata);
    const { diagnosticEvent: said, policyEvent: found, summaryEvent } = event;
    if (said !== undefined && said.ephemeral !== true && said.severity !== "debug")
      this.diagnostics.push(said);
    if (found !== undefined) {
      this.policies.set([found.policyName, found.resourceUrn, found.message].join("\n"), found);
    }
    if (summaryEvent !== undefined) {
      this.finished = true;
      this.policyPacks = summaryEvent.PolicyPacks ?? {};
    }
  }

  plan(): Plan {
    return {
      // The engine's order differs from run to run.
      resources: [...this.resources.values()].sort((one, other) => one.urn.localeCompare(other.urn, "en")),
      drifted: [...this.drifted.values()],
      releases: [...this.releases.values()],
      namespaces: [...this.namespaces],
      unchanged: [...this.same].filter((urn) => !this.resources.has(urn)).length,
      diagnostics: this.diagnostics,
      policies: [...this.policies.values()],
      policyPacks: this.policyPacks,
      finished: this.finished,
    };
  }

  private addStep(step: StepEvent): void {
    if (step.type === STACK) return;
    const inputs = step.new?.inputs ?? step.old?.inputs ?? {};
    if (step.type.startsWith("kubernetes:helm.sh/v3:Release")) {
      const [namespace, name] = (objectOf(inputs) ?? "").split("/");
      if (name !== undefined && namespace !== undefined) {
        this.releases.set(step.urn, { urn: step.urn, namespace, name });
      }
    }
    const object = step.type === NAMESPACE ? objectOf(inputs) : undefined;
    if (object !== undefined) this.namespaces.add(object);
    const operation = Object.hasOwn(OPERATIONS, step.op) ? OPERATIONS[step.op] : undefined;
    if (operation === undefined) {
      if (step.op === "same") this.same.add(step.urn);
      return;
    }
    const known = this.resources.get(step.urn);
    // Of the steps of a replacement, the one that knows both sides tells most.
    if (known !== undefined && !(step.op === "replace" || known.changes.length === 0)) return;
    this.resources.set(step.urn, changeOf(step, operation));
  }

  private addRefreshed(step: StepEvent): void {
    const { op, urn, type, old, new: found } = step;
    if (op !== "refresh" || type === STACK) return;
    const gone = found === undefined || found === null;
    const changes = gone ? [] : driftOf(step);
    if (!gone && changes.length === 0) return;
    const { name } = placeOf(urn, type);
    this.drifted.set(urn, { urn, type, name, object: objectOf(old?.inputs ?? {}), gone, changes });
  }
}

function changeOf(step: StepEvent, operation: Operation): ResourceChange {
  const { urn, type, keys, detailedDiff, new: after } = step;
  // What is created in place of the old one begins with nothing, as far as its step knows.
  const before = operation === "create" ? undefined : (step.old?.inputs ?? undefined);
  const inputs = operation === "delete" ? undefined : (after?.inputs ?? undefined);
  // The one that is lost, where one is.
  const shown = (operation === "replace" ? before : undefined) ?? inputs ?? before ?? {};
  const chart = shown["chart"];
  const changes = operation === "delete" ? [] : propertyChanges(before, inputs, detailedDiff ?? {});
  return {
    urn,
    type,
    ...placeOf(urn, type),
    object: objectOf(shown),
    chart: type.startsWith("kubernetes:helm.sh/") && typeof chart === "string" ? chart : undefined,
    operation,
    component: (after ?? step.old)?.custom !== true,
    protect: (after ?? step.old)?.protect === true,
    retainOnDelete: (after ?? step.old)?.retainOnDelete === true,
    reasons: keys ?? [],
    changes,
    unknowns: changes.filter((change) => change.new === UNKNOWN).length,
  };
}

/** What a cluster changes by itself, whenever it likes. */
const VOLATILE = /^(status|metadata\.(resourceVersion|generation|managedFields|uid|creationTimestamp)|__)/;

/**
 * The provider reads back the properties that the program has set; what a cluster adds by itself is no drift. The
 * engine compares also what no input says, such as the values of a release.
 */
function driftOf({ old, new: found, detailedDiff }: StepEvent): PropertyChange[] {
  const noted = Object.entries(detailedDiff ?? {}).filter(([path]) => !VOLATILE.test(path));
  if (detailedDiff !== undefined && detailedDiff !== null && noted.length === 0) return [];
  return (
    propertyChanges(old?.inputs ?? undefined, found?.inputs ?? undefined, Object.fromEntries(noted))
      .filter(({ path }) => !VOLATILE.test(path))
      // What was found replaces nothing; what puts it back may, and a preview tells.
      .map((change) => ({ ...change, replaces: false }))
  );
}

/** `urn:pulumi:stack::project::Outer$Inner$type::name` */
function placeOf(urn: string, type: string): { name: string; components: readonly string[] } {
  const [, , chain = "", ...name] = urn.split("::");
  const components = chain.endsWith(`$${type}`) ? chain.slice(0, -type.length - 1).split("$") : [];
  return { name: name.join("::"), components };
}

function objectOf(inputs: Mapping): string | undefined {
  const named = isMapping(inputs["metadata"]) ? inputs["metadata"] : inputs;
  const { name, namespace } = named;
  if (typeof name !== "string") return undefined;
  return typeof namespace === "string" ? `${namespace}/${name}` : name;
}
