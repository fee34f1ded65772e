import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { Cluster, ClusterWay } from "./cluster/cluster";
import { state } from "./paths";

const file = state("cluster.json");

const clusterSchema: z.ZodType<Cluster> = z.object({
  description: z.string(),
  kubeconfig: z.string(),
  context: z.string(),
  networkPolicies: z.enum(["enforced", "notEnforced", "unknown"]),
  imageEnvironment: z.record(z.string(), z.string()),
  settings: z.record(z.string(), z.unknown()),
});
const recordSchema = z.object({
  way: z.enum(["context", "kind", "native"]),
  cluster: clusterSchema.optional(),
});

/** Remembers which cluster this is and how it came to be: `down` and the next `up` deal with the same one. */
export function recordCluster(way: ClusterWay, cluster?: Cluster): void {
  writeFileSync(file, JSON.stringify({ way, cluster }, null, 2), { mode: 0o600 });
}

export function recordedCluster(): { way: ClusterWay; cluster?: Cluster | undefined } | undefined {
  return existsSync(file) ? recordSchema.parse(JSON.parse(readFileSync(file, "utf8"))) : undefined;
}
