import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { Cluster, ClusterWay } from "./cluster/cluster";
import { state } from "../common/paths";
import type { Target } from "./target";

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
  stack: z.string(),
  cluster: clusterSchema.optional(),
});

/** What `npm run up` was told to deploy where; the cluster from when it runs. */
export interface LocalRecord {
  readonly way: ClusterWay;
  readonly stack: string;
  readonly cluster?: Cluster | undefined;
}

/** Remembers which cluster and stack these are: `down` and the next `up` deal with the same ones. */
export function recordCluster(record: LocalRecord): void {
  writeFileSync(file, JSON.stringify(record, null, 2), { mode: 0o600 });
}

/** What was recorded; nothing after `npm run down`. */
export function recordedCluster(): LocalRecord | undefined {
  return existsSync(file) ? recordSchema.parse(JSON.parse(readFileSync(file, "utf8"))) : undefined;
}

/** The stack that is deployed, and where; nothing before the cluster runs. */
export function recordedTarget(): Target | undefined {
  const { stack, cluster } = recordedCluster() ?? {};
  return stack === undefined || cluster === undefined ? undefined : { ...cluster, stack };
}
