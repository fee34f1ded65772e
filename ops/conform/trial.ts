import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { AddressInfo } from "node:net";
import { type KubeConfig, Watch } from "@kubernetes/client-node";
import { z } from "zod";
import { forwardPodPort } from "../../common/portForward";
import { TEMPORAL_UID } from "../../components/manifests/temporalNames";
import { KEYRING_DIRECTORY, WORKER_UID } from "../../components/manifests/workerManifests";
import type { Settings } from "../../settings/settings";
import { imagePin } from "../../settings/imagePin";
import { images } from "../../settings/versions";
import { HOME_IN_TMP } from "../doctor/probe";
import { temporalCli } from "../doctor/probeImage";
import { inTemporaryNamespace, type TemporaryNamespace } from "../stack/temporaryNamespace";
import {
  type Candidate,
  encrypts,
  HTTP_PORT,
  SHUTDOWN,
  TEMPORAL_NAMESPACE,
  TEMPORAL_PORT,
  TRIAL_KEY,
  trialEnvironment,
} from "./candidate";

const SERVER = "temporal";
const WORKER = "worker";
const KEYS = "payload-keys";
/** A start may take as long as a startup probe waits. */
const START_SECONDS = 60;
/** Beyond `SHUTDOWN_FORCE_SECONDS`, before Kubernetes kills it. */
const KILL_AFTER_SECONDS = SHUTDOWN.forceSeconds + 10;
const ANSWER_SECONDS = 5;

/** How a process ended. */
export interface Ended {
  readonly exitCode: number;
  readonly reason: string;
  /** Its last lines. */
  readonly said: string;
}

/** What a path answers; undefined: nothing does. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** What was seen of an image that ran as a worker group does. */
export interface Trial {
  /** Present: it ended by itself. */
  readonly ended?: Ended | undefined;
  /** Queues that it polls. */
  readonly polled: readonly string[];
  /** What the SDK says of its build. */
  readonly buildIds: readonly string[];
  /** Answers of the health endpoints, by path. */
  readonly health: Readonly<Record<string, Answer | undefined>>;
  /** Of `probes.mode: exec`: whether its readiness program said yes. */
  readonly ready: boolean;
  readonly metrics?: Answer | undefined;
  /** After SIGTERM; undefined: it was not seen to end. */
  readonly stopped?: { readonly exitCode: number; readonly seconds: number } | undefined;
}

/** Asks a port of a pod for a path. */
export type AskPod = (pod: string, port: number, path: string) => Promise<Answer | undefined>;

/**
 * Runs an image as a worker group's pod would run it, in a temporary namespace with a Temporal server of its own: with
 * the environment of the contract, as uid 65532, on a read-only root.
 *
 * @throws Error when pods cannot be made or do not start
 */
export const tryImage = (
  config: KubeConfig,
  settings: Settings,
  candidate: Candidate,
  interrupted: AbortSignal,
  ask?: AskPod,
): Promise<Trial> =>
  inTemporaryNamespace(config, "conform", interrupted, (space) =>
    new Trying(space, settings, candidate, ask ?? askBy(space)).run(),
  );

class Trying {
  constructor(
    private readonly space: TemporaryNamespace,
    private readonly settings: Settings,
    private readonly candidate: Candidate,
    private readonly ask: AskPod,
  ) {}

  async run(): Promise<Trial> {
    await this.startServer();
    const host = await this.space.whenReady(SERVER);
    await this.startWorker(host);
    const { group } = this.candidate;
    const { ended, ready } = await this.untilItWorks();
    const { polled, buildIds } = await this.polls();
    const paths = group.probes.mode === "http" ? Object.values(healthPaths(group.probes)) : [];
    const health: Record<string, Answer | undefined> = {};
    if (ended !== undefined) return { ended, ready, polled, buildIds, health };
    for (const path of paths) health[path] = await this.ask(WORKER, group.ports.health, path);
    const metrics = await this.ask(WORKER, group.ports.metrics, "/metrics");
    return { ready, polled, buildIds, health, metrics, stopped: await this.stop() };
  }

  private startServer(): Promise<void> {
    const { image, command } = temporalCli(this.settings.temporal) ?? { image: imagePin(images.temporalCli) };
    const args = ["server", "start-dev", "--headless", "--ip=0.0.0.0", "--log-level=error"];
    const own = [`--port=${TEMPORAL_PORT}`, `--http-port=${HTTP_PORT}`, `--namespace=${TEMPORAL_NAMESPACE}`];
    return this.space.createPod(SERVER, {
      user: TEMPORAL_UID,
      container: {
        name: SERVER,
        image,
        ...(command && { command }),
        args: [...args, ...own],
        env: HOME_IN_TMP,
        readinessProbe: { tcpSocket: { port: TEMPORAL_PORT }, periodSeconds: 1 },
        resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "512Mi" } },
      },
    });
  }

  private async startWorker(host: string): Promise<void> {
    const { image, group, platform } = this.candidate;
    const keyed = encrypts(this.settings, this.candidate);
    if (keyed) {
      const metadata = { name: KEYS, namespace: this.space.name };
      const stringData = { [TRIAL_KEY]: randomBytes(32).toString("base64") };
      const secret = { apiVersion: "v1", kind: "Secret", metadata, stringData };
      await this.space.create(secret);
    }
    const environment = trialEnvironment(this.settings, this.candidate, host);
    const { probes, resources } = group;
    await this.space.createPod(WORKER, {
      user: WORKER_UID,
      graceSeconds: KILL_AFTER_SECONDS,
      nodeSelector: { "kubernetes.io/arch": platform.replace(/^.*\//, "") },
      container: {
        name: WORKER,
        image,
        ...(group.command && { command: group.command }),
        ...(group.args && { args: group.args }),
        env: [
          ...Object.entries(environment).map(([name, value]) => ({ name, value })),
          { name: "POD_NAME", value: WORKER },
          { name: "POD_NAMESPACE", value: this.space.name },
        ],
        ...(probes.mode === "exec"
          ? { readinessProbe: { exec: { command: probes.readiness }, periodSeconds: 1 } }
          : {}),
        resources: {
          requests: { cpu: "10m", memory: "64Mi" },
          limits: { memory: resources.limits.memory },
        },
        ...(keyed ? { volumeMounts: [{ name: KEYS, mountPath: KEYRING_DIRECTORY }] } : {}),
      },
      volumes: keyed ? [{ name: KEYS, secret: { secretName: KEYS, defaultMode: 0o440 } }] : [],
    });
    await this.space.until("the image is there, and its process has started", async () => {
      const { status } = await this.space.read(WORKER);
      return status?.phase !== "Pending";
    });
  }

  /** Until it polls and is ready, has ended, or had time enough. */
  private async untilItWorks(): Promise<{ ended?: Ended | undefined; ready: boolean }> {
    const { group } = this.candidate;
    const giveUpAt = Date.now() + START_SECONDS * 1000;
    for (;;) {
      const { status } = await this.space.read(WORKER);
      const by = status?.containerStatuses?.[0]?.state?.terminated;
      const ready = status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True");
      if (by !== undefined) {
        const said = (by.message ?? "").trim().slice(-300);
        return { ended: { exitCode: by.exitCode, reason: by.reason ?? "", said }, ready: false };
      }
      const { polled } = await this.polls();
      const answers =
        group.probes.mode === "http"
          ? isYes(await this.ask(WORKER, group.ports.health, group.probes.readiness))
          : ready === true;
      const works = answers && polled.length === group.taskQueues.length;
      if (works || Date.now() > giveUpAt) return { ready: ready === true };
      await this.space.pause(1000);
    }
  }

  private async polls(): Promise<Pick<Trial, "polled" | "buildIds">> {
    const polled: string[] = [];
    const ids = new Set<string>();
    for (const queue of this.candidate.group.taskQueues) {
      const path = `/api/v1/namespaces/${TEMPORAL_NAMESPACE}/task-queues/${encodeURIComponent(queue)}`;
      const answer = await this.ask(SERVER, HTTP_PORT, path);
      const pollers = pollersOf(answer);
      if (pollers.length > 0) polled.push(queue);
      for (const id of pollers) if (id !== "") ids.add(id);
    }
    return { polled, buildIds: [...ids] };
  }

  /** SIGTERM by the way that Kubernetes goes, and the end as the last version of the pod tells it. */
  private async stop(): Promise<Trial["stopped"]> {
    const { config, core, name: namespace } = this.space;
    const begun = Date.now();
    let report: (stopped: Trial["stopped"]) => void = () => undefined;
    const seen = new Promise<Trial["stopped"]>((resolve) => (report = resolve));
    const watching = await new Watch(config).watch(
      `/api/v1/namespaces/${namespace}/pods`,
      { fieldSelector: `metadata.name=${WORKER}` },
      (type: string, pod: unknown) => {
        const exitCode = exitCodeOf(pod);
        if (exitCode !== undefined) report({ exitCode, seconds: (Date.now() - begun) / 1000 });
        else if (type === "DELETED") report(undefined);
      },
      () => {
        report(undefined);
      },
    );
    try {
      await core.deleteNamespacedPod({ name: WORKER, namespace });
      const late = delay((KILL_AFTER_SECONDS + 20) * 1000, undefined, { signal: this.space.signal });
      return await Promise.race([seen, late]);
    } finally {
      watching.abort();
    }
  }
}

/** The paths of `probes.mode: http`. */
export const healthPaths = ({
  startup,
  liveness,
  readiness,
}: Extract<Candidate["group"]["probes"], { mode: "http" }>) => ({ startup, liveness, readiness });

/** As the kubelet counts. */
export const isYes = (answer: Answer | undefined): boolean =>
  answer !== undefined && answer.status >= 200 && answer.status < 400;

const pollers = z.object({
  pollers: z
    .array(
      z.object({
        workerVersionCapabilities: z.object({ buildId: z.string().default("") }).default({ buildId: "" }),
      }),
    )
    .default([]),
});

/** Build ids of who polls, empty where one names none; as the server's HTTP API describes a task queue. */
export function pollersOf(answer: Answer | undefined): string[] {
  if (answer?.status !== 200) return [];
  return pollers
    .parse(JSON.parse(answer.text))
    .pollers.map(({ workerVersionCapabilities }) => workerVersionCapabilities.buildId);
}

const podEnd = z.object({
  status: z.object({
    containerStatuses: z.tuple([
      z.object({ state: z.object({ terminated: z.object({ exitCode: z.number() }) }) }),
    ]),
  }),
});
const exitCodeOf = (pod: unknown): number | undefined =>
  podEnd.safeParse(pod).data?.status.containerStatuses[0].state.terminated.exitCode;

/** From this machine, through the API server. */
const askBy =
  ({ config, name }: TemporaryNamespace): AskPod =>
  async (pod, port, path) => {
    const server = await forwardPodPort(config, name, { pod, port });
    const { port: local } = server.address() as AddressInfo;
    try {
      const answer = await fetch(`http://127.0.0.1:${String(local)}${path}`, {
        redirect: "manual",
        headers: { connection: "close" },
        signal: AbortSignal.timeout(ANSWER_SECONDS * 1000),
      });
      return { status: answer.status, text: await answer.text() };
    } catch {
      return undefined;
    } finally {
      server.close();
    }
  };
