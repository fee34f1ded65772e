import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import {
  ApiException,
  CoreV1Api,
  type KubeConfig,
  KubernetesObjectApi,
  type V1Namespace,
  type V1Pod,
} from "@kubernetes/client-node";
import { startTime } from "../../common/processes";
import {
  restrictedContainer,
  restrictedPod,
  RESTRICTED_NAMESPACE,
} from "../../components/manifests/podSecurity";
import { neverStarts } from "./neverStarts";

/** Longest life of a namespace: its pods end by themselves, and anybody may delete it after twice that time. */
export const LIFE_SECONDS = 420;
const LOOK_EVERY_MS = 500;

/** Which command makes it; part of its name and labels. */
export type Purpose = "doctor" | "conform";
const labelOf = (purpose: Purpose): string => `temporal-stack/${purpose}`;
const ownerOf = (purpose: Purpose): string => `temporal-stack/${purpose}-process`;

/** What a pod runs, without what makes it restricted. */
export interface TrialContainer {
  readonly name: string;
  readonly image: string;
  /** Absent: that of the image. */
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly readinessProbe?: object;
  readonly resources: object;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

/** A pod of a temporary namespace. */
export interface TrialPod {
  /** uid of its processes. */
  readonly user: number;
  readonly container: TrialContainer;
  /** Beside `/tmp`. */
  readonly volumes?: readonly object[];
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** Seconds between SIGTERM and SIGKILL; 1 by default. */
  readonly graceSeconds?: number;
}

/**
 * Works in a namespace of its own, in which Pod Security `restricted` is enforced. It goes whatever happens; what a
 * killed process has left, the next one of the same purpose deletes.
 *
 * @throws Error when this identity may not make it, or the work fails
 */
export async function inTemporaryNamespace<T>(
  config: KubeConfig,
  purpose: Purpose,
  interrupted: AbortSignal,
  work: (space: TemporaryNamespace) => Promise<T>,
): Promise<T> {
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(LIFE_SECONDS * 1000)]);
  const space = new TemporaryNamespace(config, purpose, signal);
  await space.removeLeftOver();
  try {
    await space.make();
    return await work(space);
  } finally {
    await space.remove();
  }
}

/** See {@link inTemporaryNamespace}. */
export class TemporaryNamespace {
  readonly name: string;
  readonly core: CoreV1Api;
  private readonly objects: KubernetesObjectApi;

  constructor(
    readonly config: KubeConfig,
    private readonly purpose: Purpose,
    readonly signal: AbortSignal,
  ) {
    this.core = config.makeApiClient(CoreV1Api);
    this.objects = KubernetesObjectApi.makeApiClient(config);
    this.name = `temporal-stack-${purpose}-${randomBytes(4).toString("hex")}`;
  }

  async removeLeftOver(): Promise<void> {
    const { items } = await this.core.listNamespace({ labelSelector: labelOf(this.purpose) });
    for (const left of items.filter((namespace) => isLeftOver(namespace, Date.now(), this.purpose)))
      await this.core.deleteNamespace({ name: left.metadata?.name ?? "" });
  }

  async make(): Promise<void> {
    const { name, purpose } = this;
    const labels = { ...RESTRICTED_NAMESPACE, [labelOf(purpose)]: "probe" };
    const annotations = {
      [ownerOf(purpose)]: ownerText(hostname(), process.pid, startTime(process.pid) ?? ""),
    };
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name, labels, annotations } };
    await this.create(namespace);
    await this.until("the namespace has its ServiceAccount", () => this.hasAccount());
  }

  async remove(): Promise<void> {
    await this.core.deleteNamespace({ name: this.name }).catch((error: unknown) => {
      if (!(error instanceof ApiException && /^(403|404)$/.test(String(error.code)))) throw error;
    });
  }

  async create(object: Parameters<KubernetesObjectApi["create"]>[0]): Promise<void> {
    await this.objects.create(object);
  }

  async createPod(
    name: string,
    { user, container, volumes = [], nodeSelector = {}, graceSeconds = 1 }: TrialPod,
  ): Promise<void> {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: this.name, labels: { [labelOf(this.purpose)]: name } },
      spec: {
        restartPolicy: "Never",
        activeDeadlineSeconds: LIFE_SECONDS,
        terminationGracePeriodSeconds: graceSeconds,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        nodeSelector,
        securityContext: restrictedPod(user),
        containers: [
          {
            ...container,
            terminationMessagePolicy: "FallbackToLogsOnError",
            securityContext: restrictedContainer(),
            volumeMounts: [{ name: "tmp", mountPath: "/tmp" }, ...(container.volumeMounts ?? [])],
          },
        ],
        volumes: [{ name: "tmp", emptyDir: { sizeLimit: "64Mi" } }, ...volumes],
      },
    };
    await this.create(pod);
  }

  /** @throws Error when its image cannot be had, or its container not be made */
  async read(name: string): Promise<V1Pod> {
    const pod = await this.core.readNamespacedPod({ name, namespace: this.name });
    const waiting = neverStarts(pod);
    if (waiting !== undefined)
      throw new Error(`pod ${name} does not start: ${waiting.message ?? waiting.reason ?? ""}`);
    return pod;
  }

  /** @returns address of the pod, for URLs */
  async whenReady(name: string): Promise<string> {
    let address = "";
    await this.until(`pod ${name} is ready`, async () => {
      const { status } = await this.read(name);
      address = status?.podIP ?? "";
      return status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") === true;
    });
    return address.includes(":") ? `[${address}]` : address;
  }

  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    try {
      while (!(await holds())) await this.pause(LOOK_EVERY_MS);
    } catch (error) {
      throw this.signal.aborted ? new Error(`${what}: not in time, or interrupted`) : error;
    }
  }

  pause(milliseconds: number): Promise<void> {
    return delay(milliseconds, undefined, { signal: this.signal });
  }

  private async hasAccount(): Promise<boolean> {
    const { items } = await this.core.listNamespacedServiceAccount({ namespace: this.name });
    return items.some(({ metadata }) => metadata?.name === "default");
  }
}

const ownerText = (host: string, pid: number, started: string): string =>
  JSON.stringify({ host, pid, started });

/** Whether the process that made a namespace is gone, or must be by now. */
export function isLeftOver(
  { metadata }: Pick<V1Namespace, "metadata">,
  now: number,
  purpose: Purpose,
): boolean {
  if (metadata?.deletionTimestamp !== undefined) return false;
  if (now - (metadata?.creationTimestamp?.getTime() ?? 0) > 2 * LIFE_SECONDS * 1000) return true;
  const owner = metadata?.annotations?.[ownerOf(purpose)] ?? "";
  const [, host, pid, started] = /^\{"host":"(.*)","pid":(\d+),"started":"(.*)"\}$/.exec(owner) ?? [];
  return host === hostname() && startTime(Number(pid)) !== started;
}
