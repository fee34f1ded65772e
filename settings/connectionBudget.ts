import { type ChartServerSettings, SERVER_ROLES } from "./temporal";

/** Share of a Deployment's pods that Kubernetes starts on top during a rolling update (its default). */
const ROLLING_SURGE = 0.25;
/** Headroom over the peak, for connections that are opened before others are closed. */
const HEADROOM = 1.25;
/** Connections for schema jobs, the operator, replication, monitoring and people. */
const RESERVE = 20;

/** Pods of all server roles while all of them roll. */
export function peakServerPods({ roles }: Pick<ChartServerSettings, "roles">): number {
  return SERVER_ROLES.reduce((sum, role) => {
    const { replicas } = roles[role];
    return sum + replicas + Math.ceil(replicas * ROLLING_SURGE);
  }, 0);
}

/** `max_connections` that Postgres must offer: every server pod fills its pools for both databases. */
export function neededConnections(
  server: Pick<ChartServerSettings, "roles" | "databaseConnections">,
): number {
  const { default: main, visibility } = server.databaseConnections;
  return Math.ceil(peakServerPods(server) * (main + visibility) * HEADROOM) + RESERVE;
}
