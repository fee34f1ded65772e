import { z } from "zod";
import { nodeSandbox } from "../../../local/cluster/native/cluster";
import { enter } from "../../../local/cluster/native/sandbox";
import { succeed } from "../support";

/** A port of a pod or of the node. */
export interface Port {
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
}

/** An address, port and protocol that a pod tries to reach. */
export interface Target extends Port {
  readonly address: string;
}

const namespaces = new Map<string, string>();

/** Finds the network namespace of a pod by its address. */
async function networkNamespaceOf(podIp: string): Promise<string> {
  if (!namespaces.has(podIp)) {
    const script =
      'for n in /run/netns/cni-*; do nsenter --net="$n" ip -4 -o addr show eth0 | sed "s|^|$n |"; done';
    const listing = await succeed([...enter(nodeSandbox), "sh", "-c", script]);
    for (const line of listing.split("\n")) {
      const [, namespace, address] = /^(\S+) .* inet ([\d.]+)\//.exec(line) ?? [];
      if (namespace !== undefined && address !== undefined) namespaces.set(address, namespace);
    }
  }
  const found = namespaces.get(podIp);
  if (found === undefined) throw new Error(`no network namespace has the address ${podIp}`);
  return found;
}

const inNetworkOf = async (podIp: string, ...command: string[]): Promise<string> =>
  succeed([...enter(nodeSandbox), "nsenter", `--net=${await networkNamespaceOf(podIp)}`, ...command]);

/** Tries every target at once: a TCP connection, or a DNS question over UDP. Runs inside the pod's network. */
const PROBE = `
const net = require("node:net"), dns = require("node:dns");
const tcp = ({ address, port }) => new Promise((resolve) => {
  const socket = net.connect({ host: address, port });
  const settle = (reached) => () => { socket.destroy(); resolve(reached); };
  socket.setTimeout(3000, settle(false)).on("connect", settle(true)).on("error", settle(false));
});
const udp = async ({ address, port }) => {
  const resolver = new dns.promises.Resolver({ timeout: 3000, tries: 1 });
  resolver.setServers([address + ":" + port]);
  return resolver.resolve4("kubernetes.default.svc.cluster.local").then(() => true, () => false);
};
Promise.all(JSON.parse(process.argv[1]).map((target) => (target.protocol === "UDP" ? udp : tcp)(target)))
  .then((reached) => console.log(JSON.stringify(reached)));
`;

/** Which of the targets a pod reaches, tried from the pod's own network namespace. */
export async function reachable(podIp: string, targets: readonly Target[]): Promise<boolean[]> {
  const output = await inNetworkOf(podIp, process.execPath, "-e", PROBE, JSON.stringify(targets));
  return z.array(z.boolean()).length(targets.length).parse(JSON.parse(output));
}

/** The ports of a pod that something listens on: TCP, and UDP where it is DNS, which alone can be tried. */
export async function listeningPorts(podIp: string): Promise<Port[]> {
  const sockets = await inNetworkOf(podIp, "ss", "--no-header", "--listening", "--numeric", "--tcp", "--udp");
  const found = new Map<string, Port>();
  for (const line of sockets.split("\n")) {
    const [kind, , , , local = ""] = line.split(/\s+/);
    const [, address = "", digits = ""] = /^(.*):(\d+)$/.exec(local) ?? [];
    const port = Number(digits);
    const protocol = kind === "udp" ? "UDP" : "TCP";
    if (digits === "" || /^(127\.|\[::1\])/.test(address) || (protocol === "UDP" && port !== 53)) continue;
    found.set(`${protocol} ${digits}`, { port, protocol });
  }
  return [...found.values()];
}
