// Runs in the background: serves loopback ports and passes each connection on to a ready pod of a service.
import { KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { forwardPort } from "../common/portForward";
import { findClusterAccess, ownSurroundings, useAccess } from "../settings/kubeconfig";

const forwardsSchema = z.array(
  z.object({ localPort: z.number(), namespace: z.string(), service: z.string(), port: z.number() }),
);
/** A port of this machine and the service behind it. */
export type Forward = z.infer<typeof forwardsSchema>[number];

const access = findClusterAccess(ownSurroundings(), process.argv[3]);
if (access.from === "nowhere") throw new Error(access.problem);
const config = new KubeConfig();
useAccess(config, access);

for (const { localPort, ...target } of forwardsSchema.parse(JSON.parse(process.argv[2] ?? "[]"))) {
  void forwardPort(config, target, localPort);
}
