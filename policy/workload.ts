import type { Mapping } from "../settings/mapping";
import type { Subject } from "./subject";

/** Something about a pod that its chart or operator decides when settings are silent. */
export type Aspect =
  | "security"
  | "account"
  | "readiness"
  | "liveness"
  | "spread"
  | "budget"
  | "replicas"
  | "image"
  | "volumes"
  | "resources";

/** The pods that one object or one part of a chart makes. */
export interface Workload {
  readonly subject: Subject;
  /** Role in a chart; undefined where the object makes one kind of pod. */
  readonly part: string | undefined;
  /** Whether the pods run for good, and are replaced when they end. */
  readonly longRunning: boolean;
  /** Whether another object, which is judged itself, made it. */
  readonly controlled: boolean;
  readonly namespace: unknown;
  readonly labels: unknown;
  /** Pods wanted; undefined where that is left open. */
  readonly replicas: unknown;
  /** The pods' specification, as far as it is visible. */
  readonly spec: Mapping;
  /** Containers and init containers. */
  readonly containers: readonly unknown[];
  /** Whether a disruption budget comes with it; undefined: other objects decide. */
  readonly budget?: unknown;
  /** What is not visible here. */
  readonly hidden: readonly Aspect[];
}

/** For errors: `Deployment` or the role of a chart. */
export function describe({ part, subject }: Workload): string {
  return part ?? subject.kind ?? subject.name;
}
