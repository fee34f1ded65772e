import type { Labels } from "../../../components/manifests/labels";
import {
  cpuText,
  type PodDemand,
  podDemand,
  sizeText,
  type Toleration,
  volumeDemand,
  type VolumeDemand,
} from "../demand";
import type { Check } from "../check";
import { type Finding, failed, ok, warning } from "../finding";

/** What of a node decides whether a pod fits. */
export interface NodeRoom {
  readonly name: string;
  /** Why no pod gets there: another operating system, not ready; undefined: it may. */
  readonly closed?: string | undefined;
  readonly labels: Labels;
  /** Taints that keep pods off. */
  readonly taints: readonly Taint[];
  /** Allocatable. */
  readonly millicores: number;
  readonly bytes: number;
  readonly pods: number;
  /** What pods ask for that run there and are not of the stack; undefined: nobody may see them. */
  readonly others?:
    { readonly millicores: number; readonly bytes: number; readonly pods: number } | undefined;
}

/** A taint of a node. */
export interface Taint {
  readonly key: string;
  readonly value?: string | undefined;
  readonly effect: string;
}

/** Nodes that fit the stack's pods, one by one and all together. */
export const nodes: Check = {
  name: "nodes",
  about: "nodes that fit what the pods ask for",
  examine: async ({ settings, cluster }) =>
    nodeFindings({
      pods: podDemand(settings),
      volumes: volumeDemand(settings),
      nodes: await cluster.nodes(settings),
      growing: await cluster.nodesComeBy(),
    }),
};

/** What {@link nodeFindings} compares. */
export interface NodeQuestion {
  readonly pods: readonly PodDemand[];
  readonly volumes: readonly VolumeDemand[];
  readonly nodes: readonly NodeRoom[];
  /** What makes nodes as they are needed, so that a lack of them is no failure. */
  readonly growing?: string | undefined;
}

interface Room {
  readonly node: NodeRoom;
  millicores: number;
  bytes: number;
  pods: number;
  readonly holds: Set<string>;
}

/** Compares what pods ask for with what nodes have. */
export function nodeFindings({ pods, volumes, nodes: all, growing }: NodeQuestion): Finding[] {
  const open = all.filter((node) => pods.some((demand) => admits(node, demand)));
  const reasons = all.filter((node) => !open.includes(node)).map(closedText);
  const found = open.length === 0 ? [noNode(reasons)] : lacking(pods, open);
  return [
    ok(sumText(pods, volumes)),
    ...(open.length === 0 ? [] : [ok(roomText(open, reasons))]),
    ...(growing === undefined ? found : found.map((finding) => asGrowing(finding, growing))),
    ...(open.some(({ others }) => others === undefined)
      ? [
          warning(
            "what other pods on these nodes ask for is not counted: this identity may not list pods of all namespaces",
            "run it once as somebody who may (ClusterRole view is enough)",
          ),
        ]
      : []),
  ];
}

/** What fits no node alone makes it needless to try all together. */
function lacking(pods: readonly PodDemand[], open: readonly NodeRoom[]): Finding[] {
  const single = [...homeless(pods, open), ...tooLarge(pods, open), ...tooFewNodes(pods, open)];
  return single.length > 0 ? single : packing(pods, open);
}

const closedText = ({ name, closed, taints: [taint] }: NodeRoom): string =>
  `${name}: ${closed ?? (taint === undefined ? "without the labels that the pods need" : `taint ${taintText(taint)}`)}`;

const taintText = ({ key, value, effect }: Taint): string =>
  `${key}${value === undefined ? "" : `=${value}`}:${effect}`;

/** Whether a node takes pods like these, whatever room it has. */
function admits({ closed, labels, taints }: NodeRoom, { nodeSelector, tolerations }: PodDemand): boolean {
  return (
    closed === undefined &&
    Object.entries(nodeSelector).every(([key, value]) => labels[key] === value) &&
    taints.every((taint) => tolerations.some((toleration) => tolerates(toleration, taint)))
  );
}

function tolerates({ key, value, operator, effect }: Toleration, taint: Taint): boolean {
  return (
    (effect === undefined || effect === "" || effect === taint.effect) &&
    (operator === "Exists"
      ? key === undefined || key === "" || key === taint.key
      : key === taint.key && (value ?? "") === (taint.value ?? ""))
  );
}

const asGrowing = ({ verdict, found, remedy }: Finding, growing: string): Finding =>
  verdict === "failed"
    ? warning(`${found}; ${growing} may make nodes that fit`, remedy ?? "see that its limits allow them")
    : { verdict, found, ...(remedy === undefined ? {} : { remedy }) };

const noNode = (closed: readonly string[]): Finding =>
  failed(
    `no node takes pods of the stack${closed.length === 0 ? ": there are none" : ` (${closed.join("; ")})`}`,
    "add a node of Linux that is ready, without a taint that keeps pods off, and of the architecture of workerImage.platform",
  );

function sumText(pods: readonly PodDemand[], volumes: readonly VolumeDemand[]): string {
  const least = sumOf(pods.map((demand) => times(demand, demand.pods)));
  const most = sumOf(pods.map((demand) => times(demand, demand.mostPods)));
  const storage = volumes.reduce((sum, { volumes: count, bytes }) => sum + count * bytes, 0);
  const text = ({ millicores, bytes }: Amount): string =>
    `${cpuText(millicores)} and ${sizeText(bytes)} of memory`;
  return (
    `the stack asks for ${text(least)} in ${least.pods} pods` +
    (storage === 0 ? "" : `, and for ${sizeText(storage)} of storage`) +
    (most.pods === least.pods
      ? ""
      : `; with every worker group at replicas.max for ${text(most)} in ${most.pods} pods`)
  );
}

function roomText(open: readonly NodeRoom[], closed: readonly string[]): string {
  const free = sumOf(open.map(freeOf));
  return (
    `${open.length} ${open.length === 1 ? "node has" : "nodes have"} ${cpuText(free.millicores)} and ${sizeText(free.bytes)} of memory for it` +
    (closed.length === 0 ? "" : `; not counted: ${closed.join("; ")}`)
  );
}

interface Amount {
  readonly millicores: number;
  readonly bytes: number;
  readonly pods: number;
}

const times = ({ millicores, bytes }: PodDemand, count: number): Amount => ({
  millicores: millicores * count,
  bytes: bytes * count,
  pods: count,
});

const sumOf = (amounts: readonly Amount[]): Amount =>
  amounts.reduce(
    (sum, { millicores, bytes, pods }) => ({
      millicores: sum.millicores + millicores,
      bytes: sum.bytes + bytes,
      pods: sum.pods + pods,
    }),
    { millicores: 0, bytes: 0, pods: 0 },
  );

const freeOf = ({ millicores, bytes, pods, others }: NodeRoom): Amount => ({
  millicores: Math.max(0, millicores - (others?.millicores ?? 0)),
  bytes: Math.max(0, bytes - (others?.bytes ?? 0)),
  pods: Math.max(0, pods - (others?.pods ?? 0)),
});

const askText = ({ setting, millicores, bytes }: PodDemand): string =>
  `a pod of ${setting} asks for ${cpuText(millicores)} and ${sizeText(bytes)} of memory`;

/** Whether one pod fits a node of which nothing is taken by the stack. */
const fitsAlone = (demand: PodDemand, node: NodeRoom): boolean => {
  const free = freeOf(node);
  return (
    admits(node, demand) &&
    demand.millicores <= free.millicores &&
    demand.bytes <= free.bytes &&
    free.pods > 0
  );
};

/** Pods that no node takes, though some take others. */
function homeless(pods: readonly PodDemand[], open: readonly NodeRoom[]): Finding[] {
  return pods
    .filter((demand) => !open.some((node) => admits(node, demand)))
    .map((demand) => {
      const labels = Object.entries(demand.nodeSelector).map(([key, value]) => `${key}=${value}`);
      return failed(
        `no node takes pods of ${demand.setting}: ${labels.length === 0 ? "each has a taint that they do not tolerate" : `none has ${labels.join(", ")}, or its taints keep them off`}`,
        "add such a node, or change temporal-stack:scheduling, the group's pod, or workerImage.platform",
      );
    });
}

function tooLarge(pods: readonly PodDemand[], open: readonly NodeRoom[]): Finding[] {
  return pods.flatMap((demand) => {
    const nodes = open.filter((node) => admits(node, demand));
    if (nodes.length === 0 || nodes.some((node) => fitsAlone(demand, node))) return [];
    const free = nodes.map(freeOf);
    const millicores = Math.max(...free.map((amount) => amount.millicores));
    const bytes = Math.max(...free.map((amount) => amount.bytes));
    return [
      failed(
        `${askText(demand)}, which no node has: at most ${cpuText(millicores)} and ${sizeText(bytes)} are free on one`,
        `larger nodes, or lower temporal-stack:${settingOf(demand)}.resources.requests`,
      ),
    ];
  });
}

/** Without what is added for people. */
const settingOf = ({ setting }: PodDemand): string => setting.replace(/ \(.*$/, "");

function tooFewNodes(pods: readonly PodDemand[], open: readonly NodeRoom[]): Finding[] {
  return pods
    .filter(({ apart }) => apart)
    .flatMap((demand) => {
      const fitting = open.filter((node) => fitsAlone(demand, node)).length;
      return fitting === 0 || fitting >= demand.pods
        ? []
        : [
            failed(
              `${demand.pods} pods of ${demand.setting} need a node each, and ${fitting} ${fitting === 1 ? "fits" : "fit"}`,
              `more nodes, or set temporal-stack:${settingOf(demand)}.antiAffinity to preferred, with which two may share one`,
            ),
          ];
    });
}

/** Places the largest pods first, each where least is left over: what the scheduler finds, this finds, too. */
function packing(pods: readonly PodDemand[], open: readonly NodeRoom[]): Finding[] {
  const rooms: Room[] = open.map((node) => ({ node, ...freeOf(node), holds: new Set() }));
  const single = pods
    .flatMap((demand) => Array.from({ length: demand.pods }, () => demand))
    .sort((a, b) => b.bytes - a.bytes || b.millicores - a.millicores);
  const left = single.filter((demand) => !place(demand, rooms));
  if (left.length > 0) {
    const counts = new Map<string, number>();
    for (const { setting } of left) counts.set(setting, (counts.get(setting) ?? 0) + 1);
    const named = [...counts].map(([setting, count]) => `${count} of ${setting}`).join(", ");
    return [
      failed(
        `the pods do not fit together: for ${named} there is no room left`,
        "more nodes or larger ones, or lower requests; docs/configuration.md names them",
      ),
    ];
  }
  const stuck = pods.filter((demand) => demand.surges && !rooms.some((room) => hasRoom(demand, room)));
  return stuck.length === 0
    ? []
    : [
        warning(
          `no room for a rolling update of ${stuck.map(({ setting }) => setting).join(", ")}, which starts a pod before it stops one`,
          "leave the largest of these pods free on a node",
        ),
      ];
}

const hasRoom = (demand: PodDemand, room: Room): boolean =>
  admits(room.node, demand) &&
  demand.millicores <= room.millicores &&
  demand.bytes <= room.bytes &&
  room.pods > 0 &&
  !(demand.apart && room.holds.has(demand.setting));

function place(demand: PodDemand, rooms: readonly Room[]): boolean {
  const [room] = rooms
    .filter((candidate) => hasRoom(demand, candidate))
    .sort((a, b) => a.bytes - b.bytes || a.millicores - b.millicores);
  if (room === undefined) return false;
  room.millicores -= demand.millicores;
  room.bytes -= demand.bytes;
  room.pods -= 1;
  room.holds.add(demand.setting);
  return true;
}
