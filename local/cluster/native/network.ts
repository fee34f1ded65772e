import { execa } from "execa";
import { z } from "zod";
import { Failure } from "../../../common/failure";
import { addresses } from "./addresses";
import { initPid, runInside, type Sandbox } from "./sandbox";

const { hostInterface, hostIp, nodeInterface, nodeIp, linkPrefix, serviceCidr } = addresses;

export const OTHER_CLUSTER =
  "a local cluster of another state folder runs on this machine: " +
  "set TEMPORAL_STACK_STATE to that folder, also to take it away with npm run down";

const routes = z.array(z.object({ dst: z.string(), dev: z.string().optional() }));

/**
 * Lays a virtual cable between the host and the node's network namespace. Does nothing when it is there.
 *
 * @throws Failure when the cable is another cluster's, started with another state folder
 */
export async function connect(sandbox: Sandbox): Promise<void> {
  if (await isConnected(sandbox)) return;
  if (await cableExists()) throw new Failure(OTHER_CLUSTER, "there can be one at a time on a machine");
  await refuseForeignRoutes();
  const pid = initPid(sandbox);
  await ip("link", "add", hostInterface, "type", "veth", "peer", "name", nodeInterface, "netns", String(pid));
  await ip("address", "add", `${hostIp}/${linkPrefix}`, "dev", hostInterface);
  await ip("link", "set", hostInterface, "up");
  const inside: string[][] = [
    ["ip", "link", "set", "lo", "up"],
    ["ip", "address", "add", `${nodeIp}/${linkPrefix}`, "dev", nodeInterface],
    ["ip", "link", "set", nodeInterface, "up"],
    // A service's address is translated before it is routed, but only if some route matches it.
    ["ip", "route", "add", serviceCidr, "dev", nodeInterface],
    ["sysctl", "-qw", "net.ipv4.ip_forward=1"],
  ];
  for (const command of inside) await runInside(sandbox, command);
}

/** Whether the cable ends in this sandbox: names of interfaces are the same for every state folder. */
export async function isConnected(sandbox: Sandbox): Promise<boolean> {
  if (initPid(sandbox) === undefined) return false;
  return runInside(sandbox, ["ip", "link", "show", nodeInterface]).then(
    () => true,
    () => false,
  );
}

/** Whether there is a cable, whichever cluster's. */
export const cableExists = async (): Promise<boolean> =>
  (await execa("ip", ["link", "show", hostInterface], { reject: false })).exitCode === 0;

/** Removes the cable in case its namespace ended before its interface was gone. */
export async function disconnect(): Promise<void> {
  // The kernel may be faster.
  await execa("ip", ["link", "delete", hostInterface], { reject: false });
}

async function refuseForeignRoutes(): Promise<void> {
  const { stdout } = await execa("ip", ["-json", "route", "show", "match", nodeIp]);
  const taken = routes.parse(JSON.parse(stdout)).find(({ dst }) => dst !== "default");
  if (taken !== undefined) {
    throw new Failure(
      `the address ${nodeIp} of the local node is already routed to ${taken.dst} by ${taken.dev ?? "this machine"}`,
      "disconnect that network, or use another cluster with npm run up -- --context NAME",
    );
  }
}

const ip = (...args: string[]) => execa("ip", args);
