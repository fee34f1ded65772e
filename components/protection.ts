import type * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/settings";

/**
 * Options of a resource that holds data, or contains or opens what does. Protected, it can be neither
 * deleted nor replaced, and `pulumi destroy` leaves it in the cluster.
 */
export function dataOptions({
  deletionProtection,
}: Pick<Settings, "deletionProtection">): pulumi.CustomResourceOptions {
  return { protect: deletionProtection, retainOnDelete: deletionProtection };
}
