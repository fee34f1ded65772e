import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import {
  ApiException,
  CoreV1Api,
  type KubeConfig,
  KubernetesObjectApi,
  NetworkingV1Api,
  type V1Namespace,
  type V1Pod,
} from "@kubernetes/client-node";
import {
  restrictedContainer,
  restrictedPod,
  RESTRICTED_NAMESPACE,
} from "../../components/manifests/podSecurity";
import { startTime } from "../../common/processes";
import type { ProbeImage } from "./probeImage";

/** Label of the namespaces that probes make; whoever finds one whose process is gone, deletes it. */
export const PROBE_LABEL = "temporal-stack/doctor";
const OWNER = "temporal-stack/doctor-process";
const POLICY = "deny-all";

/** Port on which the target listens. */
const PORT = 7233;
/** Longest life of a probe: its pods end by themselves, and anybody may delete its namespace. */
const LIFE_SECONDS = 420;
const LOOK_EVERY_MS = 500;
/** A policy is in force a moment after it is made, and of no force a moment after it is gone. */
const ATTEMPTS = 5;
const BETWEEN_ATTEMPTS_MS = 3_000;

/** What came of a connection, and why if it failed. */
export interface Attempt {
  readonly reached: boolean;
  readonly said: string;
}

/** One connection three times: without a policy, with one that denies everything, and without it again. */
export interface Probed {
  readonly before: Attempt;
  readonly denied: Attempt;
  readonly after: Attempt;
}

/**
 * Has a pod connect to another in a namespace of its own, with and without a policy that denies everything. The
 * namespace goes whatever happens; what a killed process has left, the next probe deletes.
 *
 * @throws Error when pods do not start, or this identity may not make them
 */
export async function probeEnforcement(
  config: KubeConfig,
  image: ProbeImage,
  interrupted: AbortSignal,
): Promise<Probed> {
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(LIFE_SECONDS * 1000)]);
  const probe = new Probe(config, image, signal);
  await probe.removeLeftOver();
  return probe.run();
}

class Probe {
  private readonly core: CoreV1Api;
  private readonly networking: NetworkingV1Api;
  private readonly objects: KubernetesObjectApi;
  private readonly namespace = `temporal-stack-doctor-${randomBytes(4).toString("hex")}`;
  private attempts = 0;

  constructor(
    config: KubeConfig,
    private readonly image: ProbeImage,
    private readonly signal: AbortSignal,
  ) {
    this.core = config.makeApiClient(CoreV1Api);
    this.networking = config.makeApiClient(NetworkingV1Api);
    this.objects = KubernetesObjectApi.makeApiClient(config);
  }

  async removeLeftOver(): Promise<void> {
    const { items } = await this.core.listNamespace({ labelSelector: PROBE_LABEL });
    for (const left of items.filter((namespace) => isLeftOver(namespace, Date.now())))
      await this.core.deleteNamespace({ name: left.metadata?.name ?? "" });
  }

  async run(): Promise<Probed> {
    const { namespace: name } = this;
    const labels = { ...RESTRICTED_NAMESPACE, [PROBE_LABEL]: "probe" };
    const annotations = { [OWNER]: ownerText(hostname(), process.pid, startTime(process.pid) ?? "") };
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name, labels, annotations } };
    try {
      await this.objects.create(namespace);
      await this.until("the namespace has its ServiceAccount", () => this.hasAccount());
      const address = await this.startTarget();
      const before = await this.attempt(address, true);
      // What is not reached without a policy says nothing about one.
      if (!before.reached) return { before, denied: before, after: before };
      await this.objects.create(denyAll(name));
      const denied = await this.attempt(address, false);
      await this.networking.deleteNamespacedNetworkPolicy({ name: POLICY, namespace: name });
      return { before, denied, after: await this.attempt(address, true) };
    } finally {
      await this.core.deleteNamespace({ name }).catch((error: unknown) => {
        if (!(error instanceof ApiException && /^(403|404)$/.test(String(error.code)))) throw error;
      });
    }
  }

  private async hasAccount(): Promise<boolean> {
    const { items } = await this.core.listNamespacedServiceAccount({ namespace: this.namespace });
    return items.some(({ metadata }) => metadata?.name === "default");
  }

  /** @returns address of the pod that listens */
  private async startTarget(): Promise<string> {
    await this.objects.create(this.pod("target", this.image.listen(PORT), true));
    let address = "";
    await this.until("the target of the probe is ready", async () => {
      const { status } = await this.read("target");
      address = status?.podIP ?? "";
      return status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") === true;
    });
    return address.includes(":") ? `[${address}]` : address;
  }

  /** Connects until it ends as it is wanted to, or too often. */
  private async attempt(address: string, wanted: boolean): Promise<Attempt> {
    for (let number = 1; ; number++) {
      const made = await this.connect(address);
      if (made.reached === wanted || number === ATTEMPTS) return made;
      await delay(BETWEEN_ATTEMPTS_MS, undefined, { signal: this.signal });
    }
  }

  private async connect(address: string): Promise<Attempt> {
    this.attempts += 1;
    const name = `client-${this.attempts}`;
    await this.objects.create(this.pod(name, this.image.connect(`${address}:${PORT}`), false));
    let made: Attempt | undefined;
    await this.until("a client of the probe has ended", async () => {
      const { status } = await this.read(name);
      const ended = status?.containerStatuses?.[0]?.state?.terminated;
      made = ended && { reached: ended.exitCode === 0, said: (ended.message ?? "").trim().slice(-300) };
      return made !== undefined;
    });
    return made ?? { reached: false, said: "" };
  }

  private async read(name: string): Promise<V1Pod> {
    const pod = await this.core.readNamespacedPod({ name, namespace: this.namespace });
    const waiting = pod.status?.containerStatuses?.[0]?.state?.waiting;
    if (/^(ImagePullBackOff|InvalidImageName|CreateContainer\w*Error)$/.test(waiting?.reason ?? ""))
      throw new Error(`the pod of the probe does not start: ${waiting?.message ?? waiting?.reason ?? ""}`);
    return pod;
  }

  private async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    try {
      while (!(await holds())) await delay(LOOK_EVERY_MS, undefined, { signal: this.signal });
    } catch (error) {
      throw this.signal.aborted ? new Error(`${what}: not in time, or interrupted`) : error;
    }
  }

  private pod(
    name: string,
    program: { command?: readonly string[]; args: readonly string[] },
    listens: boolean,
  ) {
    const { image, user } = this.image;
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: this.namespace, labels: { [PROBE_LABEL]: name } },
      spec: {
        restartPolicy: "Never",
        activeDeadlineSeconds: LIFE_SECONDS,
        terminationGracePeriodSeconds: 1,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: restrictedPod(user),
        containers: [
          {
            name: "probe",
            image,
            ...program,
            env: [
              { name: "HOME", value: "/tmp" },
              { name: "TMPDIR", value: "/tmp" },
            ],
            terminationMessagePolicy: "FallbackToLogsOnError",
            ...(listens ? { readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 1 } } : {}),
            resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "512Mi" } },
            securityContext: restrictedContainer(),
            volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
          },
        ],
        volumes: [{ name: "tmp", emptyDir: { sizeLimit: "64Mi" } }],
      },
    };
  }
}

const denyAll = (namespace: string) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: POLICY, namespace },
  spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
});

const ownerText = (host: string, pid: number, started: string): string =>
  JSON.stringify({ host, pid, started });

/** Whether the process that made a namespace is gone, or must be by now. */
export function isLeftOver({ metadata }: Pick<V1Namespace, "metadata">, now: number): boolean {
  if (metadata?.deletionTimestamp !== undefined) return false;
  if (now - (metadata?.creationTimestamp?.getTime() ?? 0) > 2 * LIFE_SECONDS * 1000) return true;
  const [, host, pid, started] =
    /^\{"host":"(.*)","pid":(\d+),"started":"(.*)"\}$/.exec(metadata?.annotations?.[OWNER] ?? "") ?? [];
  return host === hostname() && startTime(Number(pid)) !== started;
}
