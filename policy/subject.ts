import { isMapping, type Mapping } from "../settings/mapping";
import { at, listAt, textAt } from "./values";

/** What is judged: a resource of the program, or an object that runs in a cluster. */
export interface Subject {
  /** Logical name of the resource, or `Kind namespace/name` of a running object. Exceptions name it. */
  readonly name: string;
  /** Present if it is a resource. */
  readonly urn?: string;
  /** Type token of the resource; for a running object its kind. */
  readonly type: string;
  /** Kind of the Kubernetes object, `Release` for a Helm release; undefined if it is neither. */
  readonly kind: string | undefined;
  /** The manifest, or the inputs of the resource. */
  readonly object: Mapping;
  /** Whether the resource is protected; undefined where that is not known. */
  readonly protect: boolean | undefined;
}

/** A resource as a program registers it. */
export interface Resource {
  readonly name: string;
  readonly urn?: string;
  readonly type: string;
  readonly inputs: Mapping;
  readonly protect: boolean;
}

/** Type of a Helm release. */
export const RELEASE = "kubernetes:helm.sh/v3:Release";
/** Type of the Kubernetes provider. */
export const KUBERNETES_PROVIDER = "pulumi:providers:kubernetes";
/** Type of what stands for the stack's settings. */
export const CONFIGURATION = "temporal-stack:configuration";

/** A resource of the program. */
export function subjectOfResource({ name, urn, type, inputs, protect }: Resource): Subject {
  const token = /^kubernetes:[^:]+:(\w+)$/.exec(type)?.[1];
  const kind = token === undefined || type === RELEASE ? token : (textAt(inputs, "kind") ?? token);
  return { name, ...(urn === undefined ? {} : { urn }), type, kind, object: inputs, protect };
}

/** A Kubernetes object that runs, or that a chart renders; undefined if it is none. */
export function subjectOfObject(object: unknown): Subject | undefined {
  const kind = textAt(object, "kind");
  if (!isMapping(object) || kind === undefined) return undefined;
  const place = [textAt(object, "metadata", "namespace"), textAt(object, "metadata", "name")];
  const name = `${kind} ${place.filter((part) => part !== undefined).join("/")}`;
  return { name, type: kind, kind, object, protect: undefined };
}

/** Whether another object controls this one, as a ReplicaSet does its pods. */
export const isControlled = (object: unknown): boolean =>
  listAt(object, "metadata", "ownerReferences").some((owner) => at(owner, "controller") === true);

/** Whether something else that is judged has made a running object: a controller, or the program. */
export function isDeclared({ kind, object }: Subject): boolean {
  if (isControlled(object)) return true;
  // The program makes no pods: one with its labels is a copy.
  const isOfProgram = textAt(object, "metadata", "labels", "app.kubernetes.io/managed-by") === "pulumi";
  return kind !== "Pod" && isOfProgram;
}

/** What the settings say in plain text, as something to judge: rules look for secrets in it. */
export function subjectOfConfiguration(plainText: Mapping): Subject {
  return {
    name: "configuration",
    type: CONFIGURATION,
    kind: undefined,
    object: plainText,
    protect: undefined,
  };
}
