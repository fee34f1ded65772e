import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { type ClusterLookup, recordedClusterGuard } from "./guards/cluster";
import type { Settings } from "../settings/settings";

/** Inputs of {@link StackIdentity}. */
export interface StackIdentityArgs {
  readonly settings: Pick<Settings, "kubernetes">;
  /** The cluster that this run leads to. */
  readonly cluster: Promise<ClusterLookup>;
}

/**
 * What tells a stack from every other of its name, and the cluster that it is deployed to. Both are in the state before
 * anything else of the stack, so that an update that fails later finds them again.
 */
export class StackIdentity extends pulumi.ComponentResource {
  /** Random UUID, not secret. */
  readonly id: pulumi.Output<string>;
  /** UID of the recorded cluster; undefined if it could not be seen. */
  readonly cluster: pulumi.Output<string | undefined>;

  constructor(
    name: string,
    { settings, cluster }: StackIdentityArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("temporal-stack:index:StackIdentity", name, {}, opts);
    const wanted = settings.kubernetes.clusterUid;
    const found = pulumi.output(
      cluster.then((lookup) => (lookup.found === "cluster" ? lookup.uid : undefined)),
    );
    const keepers = found.apply((uid): Record<string, string> => {
      const recorded = wanted ?? uid;
      return recorded === undefined ? {} : { cluster: recorded };
    });
    const resource = new random.RandomUuid(
      `${name}-id`,
      { keepers },
      {
        parent: this,
        hooks: recordedClusterGuard(cluster),
        // The first one stays recorded, unless the settings name another.
        ignoreChanges: wanted === undefined ? ["keepers"] : [],
      },
    );
    this.id = resource.result;
    this.cluster = resource.keepers.apply((recorded) => recorded?.["cluster"]);
    this.registerOutputs({ id: this.id });
  }
}
