import { commandPath } from "../../../toolchain/install";
import { programs } from "../../../toolchain/programs";
import { addresses, nodeName } from "./addresses";
import { runInNode, startInNode } from "./cluster";
import { withFlags } from "./controlPlane";
import { adminKubeconfig } from "./pki";

/** The queue in which the enforcer waits for packets, by its own default. */
const QUEUE = "100";

/**
 * Starts the program that drops what NetworkPolicies do not allow.
 *
 * It is handed the first packet of each connection that a pod opens, by rules of iptables: the program's own
 * rules need a kernel with `CONFIG_NFT_QUEUE`, and where they work too, a packet is merely judged twice.
 */
export async function enforceNetworkPolicies(): Promise<void> {
  startInNode(
    programs.networkPolicyEnforcer.name,
    withFlags(commandPath(programs.networkPolicyEnforcer), {
      kubeconfig: adminKubeconfig,
      "hostname-override": nodeName,
      "nfqueue-id": QUEUE,
    }),
  );
  await runInNode(["sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=1"]);
  for (const chain of ["FORWARD", "INPUT"]) await insertOnce(chain);
}

async function insertOnce(chain: string): Promise<void> {
  const match = [chain, "--source", addresses.podCidr, "--match", "conntrack", "--ctstate", "NEW"];
  const rule = [...match, "--jump", "NFQUEUE", "--queue-num", QUEUE, "--queue-bypass"];
  const exists = await runInNode(["iptables", "--check", ...rule]).then(
    () => true,
    () => false,
  );
  if (!exists) await runInNode(["iptables", "--insert", ...rule]);
}
