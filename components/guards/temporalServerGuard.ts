import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { ChartServerSettings } from "../../settings/settings";
import { splitImage, versionOf } from "../../settings/imageVersion";
import type { Succeeded } from "./record";
import { type Inputs, refusedUpdate } from "./refusal";

/** What of a deployed server decides about which changes are possible. */
export const deployedServer = z.object({
  historyShards: z.number(),
  clusterName: z.string(),
  initialFailoverVersion: z.number(),
  failoverVersionIncrement: z.number(),
  /** Tag of the server's image, which begins with its version. */
  serverTag: z.string(),
});
/** A deployed server, as far as it is known. */
export type DeployedServer = z.output<typeof deployedServer>;

/** The server that the settings ask for. */
export function wantedServer({ historyShards, cluster, images }: ChartServerSettings): DeployedServer {
  return {
    historyShards,
    clusterName: cluster.name,
    initialFailoverVersion: cluster.initialFailoverVersion,
    failoverVersionIncrement: cluster.failoverVersionIncrement,
    serverTag: splitImage(images.server).tag,
  };
}

const IMMUTABLE = {
  historyShards: "temporal.historyShards",
  clusterName: "temporal.cluster.name",
  initialFailoverVersion: "temporal.cluster.initialFailoverVersion",
  failoverVersionIncrement: "temporal.cluster.failoverVersionIncrement",
} as const;

/** What is wrong with changing a server from what is deployed. */
export function serverProblems(deployed: Partial<DeployedServer>, wanted: DeployedServer): string[] {
  const fixed = (
    ["historyShards", "clusterName", "initialFailoverVersion", "failoverVersionIncrement"] as const
  )
    .filter((field) => deployed[field] !== undefined && deployed[field] !== wanted[field])
    .map(
      (field) =>
        `temporal-stack:${IMMUTABLE[field]}: deployed is ${String(deployed[field])}, found ${wanted[field]}; the database keeps its first value and the server would ignore this one: set it back. Another value needs a new, empty database`,
    );
  const version =
    deployed.serverTag === undefined ? [] : versionProblems(deployed.serverTag, wanted.serverTag);
  return [...fixed, ...version];
}

/**
 * Schemas are migrated from minor to minor only. Back, a server runs on the schema of the next minor, not of
 * a later one; the schema itself never goes back.
 */
function versionProblems(deployed: string, wanted: string): string[] {
  const [oldMajor = 0, oldMinor = 0] = versionOf(`:${deployed}`);
  const [major = 0, minor = 0] = versionOf(`:${wanted}`);
  if (major === oldMajor && Math.abs(minor - oldMinor) <= 1) return [];
  const step = `${oldMajor}.${oldMinor + (major > oldMajor || minor > oldMinor ? 1 : -1)}`;
  const place = `temporal-stack:temporal.images.server: deployed is ${deployed}, found ${wanted}`;
  return major > oldMajor || (major === oldMajor && minor > oldMinor)
    ? [
        `${place}; the server goes up one minor version at a time: deploy the latest ${step} first, then the next`,
      ]
    : [
        `${place}; a server runs on the schema of at most the next minor version: go back to ${step} at most, or restore a backup from before the upgrade`,
      ];
}

const releaseInputs = z.object({
  values: z.object({
    server: z.object({
      image: z.object({ tag: z.string() }),
      config: z.object({
        persistence: z.object({ numHistoryShards: z.number() }),
        clusterMetadata: z.object({
          currentClusterName: z.string(),
          failoverVersionIncrement: z.number(),
          clusterInformation: z.record(z.string(), z.object({ initialFailoverVersion: z.number() })),
        }),
      }),
    }),
  }),
});

/** The server in the inputs of its Release; nothing where they are not ours. */
export function serverOfRelease(inputs: Inputs): Partial<DeployedServer> {
  const parsed = releaseInputs.safeParse(inputs);
  if (!parsed.success) return {};
  const { image, config } = parsed.data.values.server;
  const { currentClusterName, failoverVersionIncrement, clusterInformation } = config.clusterMetadata;
  const own = clusterInformation[currentClusterName];
  return {
    historyShards: config.persistence.numHistoryShards,
    clusterName: currentClusterName,
    failoverVersionIncrement,
    ...(own === undefined ? {} : { initialFailoverVersion: own.initialFailoverVersion }),
    serverTag: image.tag,
  };
}

/** Refuses an update of the Release that the database would not survive. */
export function serverGuard(
  server: ChartServerSettings,
  succeeded: Promise<Succeeded>,
): pulumi.ResourceHookBinding {
  // What was attempted counts: the schema is of the newer version, and the database keeps its first shards.
  return refusedUpdate("temporal-server-guard", succeeded, (deployed) =>
    serverProblems(serverOfRelease(deployed), wantedServer(server)),
  );
}
