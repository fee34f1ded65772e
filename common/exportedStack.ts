import { z } from "zod";

const resourceSchema = z.object({
  urn: z.string().default(""),
  type: z.string(),
  custom: z.boolean().default(false),
  external: z.boolean().default(false),
  delete: z.boolean().default(false),
  inputs: z.record(z.string(), z.unknown()).nullish(),
  outputs: z.record(z.string(), z.unknown()).nullish(),
});
const exportSchema = z.object({
  deployment: z.object({
    resources: z.array(resourceSchema).nullish(),
    pending_operations: z.array(z.object({ type: z.string(), resource: resourceSchema })).nullish(),
    secrets_providers: z.object({ state: z.object({ salt: z.string().optional() }).nullish() }).nullish(),
  }),
});

/** A resource as a stack's state has it. */
export type StateResource = z.output<typeof resourceSchema>;

/** An operation of which nobody knows whether it finished. */
export interface PendingOperation {
  /** Such as `creating`. */
  readonly type: string;
  readonly resource: StateResource;
}

/** A stack's state, as far as anybody here reads it. */
export interface ExportedStack {
  readonly resources: readonly StateResource[];
  readonly pending: readonly PendingOperation[];
  /** With which a passphrase opens the stack's secrets; undefined where they are kept otherwise. */
  readonly salt: string | undefined;
}

const namespaceInputs = z.object({ metadata: z.object({ name: z.string() }) });

/** Names of the Kubernetes namespaces among a stack's resources. */
export const namespacesAmong = (resources: readonly StateResource[]): string[] =>
  resources.flatMap(({ type, inputs }) =>
    type === "kubernetes:core/v1:Namespace"
      ? (namespaceInputs.safeParse(inputs).data?.metadata.name ?? [])
      : [],
  );

/**
 * Reads what `pulumi stack export` printed.
 *
 * @throws ZodError when it is something else
 */
export function exportedStack(exported: unknown): ExportedStack {
  const {
    resources,
    pending_operations: pending,
    secrets_providers,
  } = exportSchema.parse(exported).deployment;
  return { resources: resources ?? [], pending: pending ?? [], salt: secrets_providers?.state?.salt };
}
