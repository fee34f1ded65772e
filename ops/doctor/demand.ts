import { z } from "zod";
import { TOOL_RESOURCES } from "../../components/manifests/temporalValues";
import { forPlatform } from "../../components/manifests/podPlacement";
import { type Part, type Placement, placementOf } from "../../settings/scheduling";
import type { Labels } from "../../components/manifests/labels";
import { bytesOf, millicoresOf } from "../../settings/quantity";
import type { Settings } from "../../settings/settings";
import { postgresGenerations } from "../../components/manifests/postgresGenerations";
import { SERVER_ROLES } from "../../settings/temporal";
import { amountOf } from "./quantity";

type DemandSettings = Pick<
  Settings,
  "temporal" | "postgres" | "certManager" | "workers" | "workerImage" | "payloadEncryption" | "scheduling"
>;

/** What lets a pod on a node with a taint, as far as it is told here. */
export interface Toleration {
  readonly key?: unknown;
  readonly value?: unknown;
  readonly operator?: unknown;
  readonly effect?: unknown;
}

/** Identical pods that the stack runs for good, and what each of them asks for. */
export interface PodDemand {
  /** Key of the settings that decide about it. */
  readonly setting: string;
  readonly pods: number;
  /** Most pods that an autoscaler makes. */
  readonly mostPods: number;
  /** CPU request of one pod, in thousandths of a core. */
  readonly millicores: number;
  /** Memory request of one pod. */
  readonly bytes: number;
  /** Whether each of them needs a node of its own. */
  readonly apart: boolean;
  /** Whether a rolling update starts a pod before it stops one. */
  readonly surges: boolean;
  /** Labels that its node must have. */
  readonly nodeSelector: Labels;
  readonly tolerations: readonly Toleration[];
}

/** Identical volumes that the stack claims. */
export interface VolumeDemand {
  /** Key of the settings that decide about them. */
  readonly setting: string;
  readonly volumes: number;
  /** Size of one of them. */
  readonly bytes: number;
  readonly storageClass?: string | undefined;
}

interface Requests {
  readonly requests: { readonly cpu: string; readonly memory: string };
}

/**
 * The pods that a stack runs for good, with as many as its settings ask for at least. Jobs are left out: each asks for
 * 10m and 32Mi for a moment, or runs before the pod that asks for as much.
 */
export function podDemand(settings: DemandSettings): PodDemand[] {
  const { temporal, postgres, certManager, workers, workerImage, payloadEncryption, scheduling } = settings;
  const { codecServer } = payloadEncryption;
  const place = (part: Part): Placement => placementOf(settings, part);
  const ofImage = (placement: Placement): Placement => forPlatform(placement, workerImage.platform);
  return [
    ...(temporal.mode === "devServer"
      ? [pods("temporal", 1, temporal.resources, scheduling.default, { surges: false })]
      : temporal.mode === "chart"
        ? [
            ...SERVER_ROLES.map((role) => {
              const { replicas, resources } = temporal.roles[role];
              return pods(`temporal.roles.${role}`, replicas, resources, place(role));
            }),
            pods("temporal (admin tools)", 1, TOOL_RESOURCES, place("jobs")),
            ...(temporal.ui.enabled
              ? [pods("temporal.ui", temporal.ui.replicas, temporal.ui.resources, place("ui"))]
              : []),
          ]
        : []),
    ...(postgres?.mode === "cluster"
      ? [
          ...postgresGenerations(postgres)
            .filter(({ hibernates }) => !hibernates)
            .map(({ number }) => {
              const instances = pods(
                number === 1 ? "postgres" : `postgres (generation ${number})`,
                postgres.instances,
                postgres.resources,
                place("postgres"),
                { surges: false, apart: postgres.antiAffinity === "required" },
              );
              const archiver = postgres.backup && { resources: postgres.backup.sidecarResources };
              return withSidecars(instances, archiver === undefined ? [] : [archiver]);
            }),
          ...(postgres.backup?.plugin.install === true
            ? [
                pods("postgres.backup.plugin", 1, postgres.backup.plugin.resources, place("operator"), {
                  surges: false,
                }),
              ]
            : []),
          ...(postgres.operator.install
            ? [
                pods(
                  "postgres.operator",
                  postgres.operator.replicas,
                  postgres.operator.resources,
                  place("operator"),
                ),
              ]
            : []),
        ]
      : []),
    ...(certManager.install
      ? (["controller", "webhook", "caInjector"] as const).map((part) =>
          pods(`certManager (${part})`, certManager.replicas, certManager.resources, place("operator")),
        )
      : []),
    ...workers.map(({ name, replicas, resources, pod }) => {
      const placement = ofImage({ ...place("workers"), ...whereSet(pod) });
      const group = pods(`workers[${name}]`, replicas.min, resources, placement, { mostPods: replicas.max });
      return withSidecars(group, pod.sidecars);
    }),
    ...(codecServer === undefined
      ? []
      : [
          pods(
            "payloadEncryption.codecServer",
            codecServer.replicas,
            codecServer.resources,
            ofImage(place("workers")),
          ),
        ]),
  ];
}

/** What a group says of its place goes before what is said for all groups. */
const whereSet = ({ nodeSelector, tolerations }: Placement): Placement => ({
  ...(nodeSelector === undefined ? {} : { nodeSelector }),
  ...(tolerations === undefined ? {} : { tolerations }),
});

/** The volumes that a stack claims. */
export function volumeDemand({ temporal, postgres }: DemandSettings): VolumeDemand[] {
  const volume = (
    setting: string,
    volumes: number,
    storage: { readonly size: string; readonly storageClass?: string | undefined } | undefined,
  ): VolumeDemand[] =>
    storage === undefined
      ? []
      : [{ setting, volumes, bytes: bytesOf(storage.size) ?? 0, storageClass: storage.storageClass }];
  return [
    ...(temporal.mode === "devServer" ? volume("temporal.storage", 1, temporal.storage) : []),
    ...(postgres?.mode === "cluster"
      ? postgresGenerations(postgres).flatMap(() => [
          ...volume("postgres.storage", postgres.instances, postgres.storage),
          ...volume("postgres.walStorage", postgres.instances, postgres.walStorage),
        ])
      : []),
  ];
}

function pods(
  setting: string,
  count: number,
  { requests: { cpu, memory } }: Requests,
  { nodeSelector = {}, tolerations = [] }: Placement,
  special: Partial<PodDemand> = {},
): PodDemand {
  return {
    setting,
    pods: count,
    mostPods: count,
    millicores: millicoresOf(cpu) ?? 0,
    bytes: bytesOf(memory) ?? 0,
    apart: false,
    surges: true,
    nodeSelector,
    tolerations,
    ...special,
  };
}

const sidecar = z.looseObject({
  resources: z.looseObject({ requests: z.record(z.string(), z.coerce.string()).optional() }).optional(),
});

/** What runs beside a worker in its pod asks for its own. */
function withSidecars(demand: PodDemand, sidecars: readonly unknown[]): PodDemand {
  const requests = sidecars.map((one) => sidecar.safeParse(one).data?.resources?.requests ?? {});
  const sum = (resource: string): number =>
    requests.reduce((total, { [resource]: quantity = "0" }) => total + amountOf(quantity), 0);
  return {
    ...demand,
    millicores: demand.millicores + Math.round(sum("cpu") * 1000),
    bytes: demand.bytes + sum("memory"),
  };
}

/** A size for people, as `18 GiB`. */
export function sizeText(bytes: number): string {
  const gibibytes = bytes / 1024 ** 3;
  return gibibytes >= 1 || bytes === 0
    ? `${String(Math.round(gibibytes * 100) / 100)} GiB`
    : `${String(Math.round(bytes / 1024 ** 2))} MiB`;
}

/** CPU for people, as `7.25 CPU`. */
export const cpuText = (millicores: number): string => `${String(Math.round(millicores / 10) / 100)} CPU`;
