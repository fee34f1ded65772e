import { z } from "zod";

/** Operations of which nobody knows whether they finished, in a stack that `pulumi stack export` printed. */
export const pendingOperations = z
  .object({
    deployment: z.object({
      pending_operations: z
        .array(z.object({ type: z.string(), resource: z.object({ urn: z.string() }) }))
        .nullish(),
    }),
  })
  .transform(({ deployment }) =>
    (deployment.pending_operations ?? []).map(({ type, resource }) => ({ type, urn: resource.urn })),
  );

/** Arguments with which the CLI looks for itself at what became of them; `--stack NAME` is to be added. */
export const CLEAR_PENDING_OPERATIONS = ["refresh", "--yes", "--skip-preview", "--clear-pending-creates"];
