import pMap from "p-map";
import { type Flow, ownNamespaces, selects, stackFlows } from "../../../components/manifests/flows";
import type { Settings } from "../../../settings/settings";
import { addresses } from "../../../local/cluster/native/addresses";
import { localImages, provideImage } from "../../../local/cluster/native/images";
import { isWithin } from "../../support/networkPolicyRules";
import { kubectl, type Pod, podsOf, succeed } from "../support";
import { listeningPorts, type Port, reachable } from "./podNetwork";

const OUTSIDER = "e2e-outsider";
/** API server, image registry and kubelet. */
const NODE_PORTS: readonly Port[] = [6443, 5000, 10250].map((port) => ({ port, protocol: "TCP" }));

/** Pods that try at once: each waits 3 s for what drops its packets. */
const SOURCES = 6;

/** Something that a connection comes from or goes to. */
interface End {
  readonly name: string;
  readonly address: string;
  /** Absent: it is the node. */
  readonly pod?: Pod;
}

/** What came of trying every pair. */
export interface Trial {
  readonly tried: number;
  /** Pairs of which the flows say another thing than the network. */
  readonly wrong: readonly string[];
}

/** Has policies enforced, and puts a pod of somebody else into the cluster. */
export async function enforcePolicies(): Promise<void> {
  await succeed(["npm", "run", "addons"]);
  const image = await provideImage(localImages.debian);
  await kubectl(
    ...["run", OUTSIDER, "--namespace=default", `--image=${image}`],
    ...["--command", "--", "sleep", "infinity"],
  );
  await kubectl("wait", "--namespace=default", "--for=condition=Ready", `pod/${OUTSIDER}`, "--timeout=60s");
}

/** Takes that pod away. */
export const removeOutsider = (): Promise<string> =>
  kubectl("delete", "pod", OUTSIDER, "--namespace=default", "--now");

/**
 * Tries each pod of the stack, and one of somebody else, against every port that something listens on in the
 * stack's pods, in the cluster's DNS and on the node.
 */
export async function tryEveryPair(settings: Settings): Promise<Trial> {
  const own = ownNamespaces(settings);
  // Pods of jobs end while they are looked at.
  const inside = (await Promise.all(own.map(podsOf))).flat().filter(isLasting).map(endOf);
  const outside = (await podsOf("default")).map(endOf);
  const dns = (await podsOf("kube-system"))
    .filter(({ metadata }) => metadata.labels["k8s-app"] === "kube-dns")
    .map(endOf);
  const targets: { end: End; port: Port }[] = [];
  for (const end of [...inside, ...dns])
    for (const port of await listeningPorts(end.address)) targets.push({ end, port });
  for (const port of NODE_PORTS) targets.push({ end: { name: "the node", address: addresses.nodeIp }, port });
  const wrong: string[] = [];
  let tried = 0;
  const tryFrom = async (source: End): Promise<void> => {
    const pairs = targets
      .filter(({ end }) => end !== source)
      // What no policy of the stack closes: a stranger's way to what is not the stack's.
      .filter(({ end }) => inside.includes(source) || inside.includes(end));
    const reached = await reachable(
      source.address,
      pairs.map(({ end, port }) => ({ address: end.address, ...port })),
    );
    tried += pairs.length;
    pairs.forEach(({ end, port }, index) => {
      const expected = isAllowed(stackFlows(settings), own, source, end, port);
      if (reached[index] === expected) return;
      const result = expected ? "refused" : "reached";
      wrong.push(`${source.name} → ${end.name} ${port.protocol} ${port.port}: ${result}`);
    });
  };
  await pMap([...inside, ...outside], tryFrom, { concurrency: SOURCES });
  return { tried, wrong };
}

/**
 * Policies act at both ends: on the way out of a pod of the stack, and on the way into one. A flow opens the end
 * that it names pods for.
 */
function isAllowed(
  flows: readonly Flow[],
  own: readonly string[],
  source: End,
  target: End,
  { port, protocol }: Port,
): boolean {
  const matching = flows.filter(
    ({ from, to, ports }) =>
      ports.some((allowed) => allowed.port === port && allowed.protocol === protocol) &&
      matches(from, source) &&
      matches(to, target),
  );
  const isOpen = (end: "from" | "to", { pod }: End): boolean =>
    pod === undefined ||
    !own.includes(pod.metadata.namespace) ||
    matching.some((flow) => flow[end].kind === "pods");
  return isOpen("from", source) && isOpen("to", target);
}

function matches(side: Flow["from"], { address, pod }: End): boolean {
  if (side.kind === "pods") return pod !== undefined && selects(side, pod.metadata);
  return side.kind === "addresses" && isWithin(address, side.cidrs);
}

const isLasting = ({ metadata }: Pod): boolean =>
  metadata.labels["batch.kubernetes.io/job-name"] === undefined;

const endOf = (pod: Pod): End => ({
  name: `${pod.metadata.namespace}/${pod.metadata.name}`,
  address: pod.status.podIP ?? "",
  pod,
});
