import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import {
  CoreV1Api,
  KubeConfig,
  PatchStrategy,
  setHeaderOptions,
  V1Binding,
  V1ObjectMeta,
  V1ObjectReference,
  type V1PersistentVolumeClaim,
  type V1Pod,
} from "@kubernetes/client-node";
import { commandPath } from "../../toolchain/install";
import { programs } from "../../toolchain/programs";
import { ADMINISTRATOR, ApiServer, type ApiUser, freePort } from "./apiServer";
import { OfflineEngine } from "./offlineEngine";

/** What becomes of a pod that nothing runs: a pod that stays `Pending` is looked at again. */
export type PodPhase = "Pending" | "Running" | "Succeeded" | "Failed";

/** Controllers of Kubernetes whose work a deployment waits for. */
const CONTROLLERS = [
  ...["namespace", "serviceaccount", "garbage-collector", "deployment", "replicaset", "statefulset"],
  ...["job", "cronjob", "endpoints", "endpointslice", "persistentvolumeclaim-protection"],
];
const LOOK_EVERY_MS = 200;
const MERGE = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);

/** Where pods are said to be; there is no such machine. */
const node = { apiVersion: "v1", kind: "Node", metadata: { name: "nowhere" } };

/** Of volumes that nobody makes. */
const storageClass = {
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name: "none", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
  provisioner: "kubernetes.io/no-provisioner",
  volumeBindingMode: "WaitForFirstConsumer",
};

/**
 * A cluster without a node: API server, etcd and controllers. No image is pulled and nothing runs: pods get the
 * status that the test decides on, so that updates, failures and recoveries of the real engine take seconds.
 */
export class EngineCluster {
  /** What becomes of each pod. */
  phaseOf: (pod: V1Pod) => PodPhase = phaseByDefault;

  private readonly engines: OfflineEngine[] = [];
  private readonly stopping = new AbortController();
  private looking: Promise<void> = Promise.resolve();

  private constructor(readonly server: ApiServer) {}

  /** Starts one that knows these users beside the administrator. */
  static async start(...users: ApiUser[]): Promise<EngineCluster> {
    const server = await ApiServer.start(...users);
    const cluster = new EngineCluster(server);
    const kubeconfig = server.kubeconfig(ADMINISTRATOR);
    server.run(commandPath(programs.kubernetes, "kube-controller-manager"), {
      kubeconfig,
      "authentication-kubeconfig": kubeconfig,
      "authorization-kubeconfig": kubeconfig,
      "bind-address": "127.0.0.1",
      "secure-port": await freePort(),
      "cert-dir": `${server.folder}/controllers`,
      "service-account-private-key-file": server.accountKey,
      "leader-elect": false,
      controllers: CONTROLLERS.map((name) => `${name}-controller`).join(),
    });
    await server.waitUntil("controllers are at work", async () => {
      const { exitCode } = await server.kubectl(ADMINISTRATOR, ["get", "serviceaccount", "default"]);
      return exitCode === 0;
    });
    for (const object of [node, storageClass]) await cluster.kubectl(["create", "--filename", "-"], object);
    cluster.looking = cluster.standIn();
    return cluster;
  }

  /**
   * Somebody's CLI with a backend of their own, with this cluster: two of them are two clones of the repository.
   * @param stacks made at once, with nothing deployed
   */
  async engine(stacks: readonly string[], user = ADMINISTRATOR): Promise<OfflineEngine> {
    const engine = new OfflineEngine(readFileSync(this.server.kubeconfig(user), "utf8"));
    this.engines.push(engine);
    await engine.start(...stacks);
    return engine;
  }

  /** Runs kubectl as the administrator and returns what it printed. */
  async kubectl(args: readonly string[], input?: unknown): Promise<string> {
    const { exitCode, output } = await this.server.kubectl(ADMINISTRATOR, args, input);
    if (exitCode !== 0) throw new Error(`kubectl ${args.join(" ")}: ${output}`);
    return output;
  }

  /** Ends all processes and forgets everything, backends included. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.looking;
    for (const engine of this.engines) engine.stop();
    await this.server.stop();
  }

  /** Tells of pods and volumes what the kubelet and the provisioner would. */
  private async standIn(): Promise<void> {
    const config = new KubeConfig();
    config.loadFromFile(this.server.kubeconfig(ADMINISTRATOR));
    const api = config.makeApiClient(CoreV1Api);
    while (!this.stopping.signal.aborted) {
      const [pods, claims] = await Promise.all([
        api.listPodForAllNamespaces(),
        api.listPersistentVolumeClaimForAllNamespaces(),
      ]);
      // One that is gone in the meantime is no concern.
      for (const pod of pods.items) await this.lookAfter(pod, api).catch(() => undefined);
      for (const claim of claims.items) await bind(claim, api).catch(() => undefined);
      await delay(LOOK_EVERY_MS);
    }
  }

  private async lookAfter(pod: V1Pod, api: CoreV1Api): Promise<void> {
    const { name, namespace } = placeOf(pod);
    if (pod.metadata?.deletionTimestamp !== undefined) {
      await api.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: 0 });
    } else if (pod.status?.phase === "Pending") {
      const phase = this.phaseOf(pod);
      if (phase === "Pending") return;
      const target = Object.assign(new V1ObjectReference(), { kind: "Node", name: node.metadata.name });
      const metadata = Object.assign(new V1ObjectMeta(), { name });
      const body = Object.assign(new V1Binding(), { metadata, target });
      await api.createNamespacedPodBinding({ name, namespace, body });
      await api.patchNamespacedPodStatus({ name, namespace, body: { status: statusOf(pod, phase) } }, MERGE);
    }
  }
}

async function bind(claim: V1PersistentVolumeClaim, api: CoreV1Api): Promise<void> {
  if (claim.status?.phase !== "Pending") return;
  const body = { status: { phase: "Bound" } };
  await api.patchNamespacedPersistentVolumeClaimStatus({ ...placeOf(claim), body }, MERGE);
}

const placeOf = ({ metadata }: V1Pod | V1PersistentVolumeClaim) => ({
  name: metadata?.name ?? "",
  namespace: metadata?.namespace ?? "",
});

/** Pods of Jobs succeed, others run. */
export const phaseByDefault = ({ metadata }: V1Pod): PodPhase =>
  metadata?.ownerReferences?.some(({ kind }) => kind === "Job") === true ? "Succeeded" : "Running";

let address = 0;

function statusOf({ spec }: V1Pod, phase: Exclude<PodPhase, "Pending">) {
  const now = new Date().toISOString();
  const ready = phase === "Running";
  const ended = { exitCode: phase === "Failed" ? 1 : 0, startedAt: now, finishedAt: now };
  address += 1;
  const ip = `10.0.${address >> 8}.${address & 255}`;
  return {
    phase,
    podIP: ip,
    podIPs: [{ ip }],
    startTime: now,
    conditions: ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) => ({
      type,
      status: ready || /Scheduled|Initialized/.test(type) ? "True" : "False",
      lastTransitionTime: now,
    })),
    containerStatuses: (spec?.containers ?? []).map(({ name, image }) => ({
      name,
      image,
      imageID: image,
      ready,
      started: ready,
      restartCount: 0,
      state: ready ? { running: { startedAt: now } } : { terminated: ended },
    })),
  };
}
