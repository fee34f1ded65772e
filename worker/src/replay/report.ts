/** Event of a history, by its number and its name in Temporal's UI. */
export interface EventReference {
  readonly id: number;
  readonly type: string;
}

/** An open workflow. */
export interface OpenWorkflow {
  readonly workflowId: string;
  readonly runId: string;
  readonly type: string;
}

/** Why a workflow cannot go on. */
export interface Breakage {
  /** The recorded commands differ, no workflow of this type is in the bundle, or its code failed. */
  readonly kind: "nondeterminism" | "unknownType" | "taskFailure";
  /** Where the replay left the recorded history. */
  readonly event: EventReference;
  readonly message: string;
}

/** What became of one history. */
export type Verdict =
  | { readonly outcome: "compatible" }
  | { readonly outcome: "incompatible"; readonly breakage: Breakage }
  | { readonly outcome: "unchecked"; readonly reason: string };

/** What the replay of the open workflows found. */
export interface ReplayReport {
  /** Version of the SDK that bundled the workflows and replayed them. */
  readonly sdkVersion: string;
  readonly namespace: string;
  readonly taskQueues: readonly string[];
  /** Workflows that were open, and are meant by the query, when they were listed. */
  readonly open: number;
  /** Of these, the ones that the sample left out. */
  readonly notSampled: number;
  /** Of these, the ones whose history was deleted before it could be read: they had ended. */
  readonly gone: number;
  readonly compatible: number;
  readonly incompatible: readonly (OpenWorkflow & Breakage)[];
  readonly unchecked: readonly (OpenWorkflow & { readonly reason: string })[];
}

/** Exit codes of the gate; 78 (`EXIT_CONFIGURATION`) stands for wrong settings or arguments. */
export const EXIT_REPLAYED = 0;
export const EXIT_UNCHECKED = 1;
export const EXIT_INCOMPATIBLE = 3;

/** A workflow that breaks outweighs one that could not be checked; either keeps the gate shut. */
export function exitCode({ incompatible, unchecked }: ReplayReport): number {
  if (incompatible.length > 0) return EXIT_INCOMPATIBLE;
  return unchecked.length > 0 ? EXIT_UNCHECKED : EXIT_REPLAYED;
}
