import type { ResourceLog } from "./engineLog";
import type { PropertyMap } from "./properties";

/** One property in the schema of a resource type. */
export interface PropertySchema {
  readonly type: "boolean" | "integer" | "string" | "map" | "object" | "array";
  /** Given back encrypted. */
  readonly secret?: boolean;
  /** Must be given (inputs only). */
  readonly required?: boolean;
}

export interface ResourceSchema {
  readonly inputs: Readonly<Record<string, PropertySchema>>;
  /** Outputs beyond those that repeat an input. */
  readonly outputs: Readonly<Record<string, PropertySchema>>;
}

/** An input that cannot be accepted. */
export interface CheckFailure {
  /** Path of the input. */
  readonly property: string;
  /** What was expected instead. */
  readonly reason: string;
}

/** One property that differs between state and program. */
export interface Difference {
  readonly property: string;
  readonly kind: "add" | "delete" | "update";
  /** True if the resource has to be made anew. */
  readonly replace: boolean;
}

/** What every operation on a resource is given. */
export interface OperationContext {
  readonly urn: string;
  readonly log: ResourceLog;
  /** Aborted when the user cancels. */
  readonly signal: AbortSignal;
}

export interface ResourceState {
  readonly id: string;
  readonly state: PropertyMap;
}

/** Inputs with defaults filled in, and what is wrong with them. */
export interface CheckedInputs {
  readonly inputs: PropertyMap;
  readonly failures: readonly CheckFailure[];
}

/** A resource taken over from its id. */
export interface AdoptedResource extends ResourceState {
  readonly inputs: PropertyMap;
}

type Eventual<Result> = Result | Promise<Result>;

/** Behaviour of one resource type. Values handed in have no secret marks; those handed back may have. */
export interface ResourceType {
  readonly schema: ResourceSchema;
  check(inputs: PropertyMap, context: OperationContext): Eventual<CheckedInputs>;
  diff(state: PropertyMap, inputs: PropertyMap): readonly Difference[];
  create(inputs: PropertyMap, preview: boolean, context: OperationContext): Eventual<ResourceState>;
  /** Absent where every change replaces the resource. */
  update?(inputs: PropertyMap, preview: boolean, context: OperationContext): Eventual<PropertyMap>;
  /** Reconstructs inputs and state from an id given to `pulumi import`. Absent: not importable. */
  adopt?(id: string): Eventual<AdoptedResource>;
}

/** A resource provider: its types and what it makes of its own configuration. */
export interface ProviderDefinition {
  readonly types: Readonly<Record<string, ResourceType>>;
  /** Configuration keys that are understood. */
  readonly configuration: readonly string[];
  configure?(configuration: PropertyMap): void;
}
