import type { AddressInfo, Server } from "node:net";
import type { KubeConfig } from "@kubernetes/client-node";
import { forwardPort } from "../../common/portForward";
import { serviceOf, withAddress } from "./workerConnection";

/** Forwards a port for as long as the work takes, if the address is one that resolves in the cluster only. */
export async function reachable<T>(
  config: KubeConfig,
  environment: Record<string, string>,
  work: (environment: Record<string, string>) => Promise<T>,
): Promise<T> {
  const service = serviceOf(environment["TEMPORAL_ADDRESS"] ?? "");
  if (service === undefined) return work(environment);
  const server = await forwardPort(config, service, 0);
  try {
    return await work(withAddress(environment, `127.0.0.1:${portOf(server)}`));
  } finally {
    server.close();
  }
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
