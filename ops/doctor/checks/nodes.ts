import { cpuText, type PodDemand, podDemand, sizeText, volumeDemand, type VolumeDemand } from "../demand";
import type { Check } from "../check";
import { type Finding, failed, ok, warning } from "../finding";

/** What of a node decides whether a pod fits. */
export interface NodeRoom {
  readonly name: string;
  /** Why no pod of the stack gets there: a taint, another operating system, not ready; undefined: it may. */
  readonly closed?: string | undefined;
  readonly architecture: string;
  /** Allocatable. */
  readonly millicores: number;
  readonly bytes: number;
  readonly pods: number;
  /** What pods ask for that run there and are not of the stack; undefined: nobody may see them. */
  readonly others?:
    { readonly millicores: number; readonly bytes: number; readonly pods: number } | undefined;
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
  const open = all.filter(({ closed }) => closed === undefined);
  const problems = [...tooLarge(pods, open), ...architectures(pods, open)];
  const apart = tooFewNodes(pods, open);
  const packed = problems.length > 0 || apart.length > 0 ? [] : packing(pods, open);
  const found = [...problems, ...apart, ...packed];
  const closed = all.flatMap(({ name, closed: reason }) =>
    reason === undefined ? [] : `${name}: ${reason}`,
  );
  const lacks = open.length === 0 ? [noNode(closed)] : found;
  return [
    ok(sumText(pods, volumes)),
    ...(open.length === 0 ? [] : [ok(roomText(open, closed))]),
    ...(growing === undefined ? lacks : lacks.map((finding) => asGrowing(finding, growing))),
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

const asGrowing = ({ verdict, found, remedy }: Finding, growing: string): Finding =>
  verdict === "failed"
    ? warning(`${found}; ${growing} may make nodes that fit`, remedy ?? "see that its limits allow them")
    : { verdict, found, ...(remedy === undefined ? {} : { remedy }) };

const noNode = (closed: readonly string[]): Finding =>
  failed(
    `no node takes pods of the stack${closed.length === 0 ? ": there are none" : ` (${closed.join("; ")})`}`,
    "add a node of Linux that is ready and has no taint that keeps pods off",
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
const fitsAlone = ({ millicores, bytes }: PodDemand, node: NodeRoom): boolean => {
  const free = freeOf(node);
  return millicores <= free.millicores && bytes <= free.bytes && free.pods > 0;
};

function tooLarge(pods: readonly PodDemand[], open: readonly NodeRoom[]): Finding[] {
  const most = { cpu: Math.max(0, ...open.map((node) => freeOf(node).millicores)) };
  const memory = Math.max(0, ...open.map((node) => freeOf(node).bytes));
  return pods
    .filter((demand) => !open.some((node) => fitsAlone(demand, node)))
    .map((demand) =>
      failed(
        `${askText(demand)}, which no node has: at most ${cpuText(most.cpu)} and ${sizeText(memory)} are free on one`,
        `larger nodes, or lower temporal-stack:${settingOf(demand)}.resources.requests`,
      ),
    );
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

/** Nothing keeps pods off nodes of another architecture, where their image does not start. */
function architectures(pods: readonly PodDemand[], open: readonly NodeRoom[]): Finding[] {
  const wanted = new Set(pods.flatMap(({ architecture }) => architecture ?? []));
  return [...wanted].flatMap((architecture) => {
    const others = open.filter((node) => node.architecture !== architecture);
    if (others.length === 0) return [];
    const found = `the worker image is for ${architecture}; ${others.map((node) => `${node.name} is ${node.architecture}`).join(", ")}`;
    const remedy = "set temporal-stack:workerImage.platform to what the nodes have";
    return others.length === open.length
      ? [failed(found, remedy)]
      : [warning(found, `${remedy}, or keep the stack's pods off the others by a taint`)];
  });
}

/** Places the largest pods first, each where least is left over: what the scheduler finds, this finds, too. */
function packing(pods: readonly PodDemand[], open: readonly NodeRoom[]): Finding[] {
  const rooms: Room[] = open.map((node) => ({ node, ...freeOf(node), holds: new Set() }));
  const single = pods
    .flatMap((demand) => Array.from({ length: demand.pods }, () => demand))
    .sort((a, b) => b.bytes - a.bytes || b.millicores - a.millicores);
  const homeless = single.filter((demand) => !place(demand, rooms));
  if (homeless.length > 0) {
    const counts = new Map<string, number>();
    for (const { setting } of homeless) counts.set(setting, (counts.get(setting) ?? 0) + 1);
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
