import { exportedStack } from "./exportedStack";

/** Operations of which nobody knows whether they finished, in a stack that `pulumi stack export` printed. */
export const pendingOperations = (exported: unknown): { readonly type: string; readonly urn: string }[] =>
  exportedStack(exported).pending.map(({ type, resource }) => ({ type, urn: resource.urn }));

/** Arguments with which the CLI looks for itself at what became of them; `--stack NAME` is to be added. */
export const CLEAR_PENDING_OPERATIONS = ["refresh", "--yes", "--skip-preview", "--clear-pending-creates"];
