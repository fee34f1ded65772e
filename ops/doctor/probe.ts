import { type KubeConfig, NetworkingV1Api } from "@kubernetes/client-node";
import { inTemporaryNamespace, type TemporaryNamespace } from "../stack/temporaryNamespace";
import type { ProbeImage, Program } from "./probeImage";

const POLICY = "deny-all";
/** Port on which the target listens. */
const PORT = 7233;
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
 * Has a pod connect to another in a temporary namespace, with and without a policy that denies everything.
 *
 * @throws Error when pods do not start, or this identity may not make them
 */
export const probeEnforcement = (
  config: KubeConfig,
  image: ProbeImage,
  interrupted: AbortSignal,
): Promise<Probed> =>
  inTemporaryNamespace(config, "doctor", interrupted, (space) => new Probe(space, image).run());

class Probe {
  private attempts = 0;

  constructor(
    private readonly space: TemporaryNamespace,
    private readonly image: ProbeImage,
  ) {}

  async run(): Promise<Probed> {
    const namespace = this.space.name;
    await this.createPod("target", this.image.listen(PORT), true);
    const address = await this.space.whenReady("target");
    const before = await this.attempt(address, true);
    // What is not reached without a policy says nothing about one.
    if (!before.reached) return { before, denied: before, after: before };
    await this.space.create(denyAll(namespace));
    const denied = await this.attempt(address, false);
    const networking = this.space.config.makeApiClient(NetworkingV1Api);
    await networking.deleteNamespacedNetworkPolicy({ name: POLICY, namespace });
    return { before, denied, after: await this.attempt(address, true) };
  }

  /** Connects until it ends as it is wanted to, or too often. */
  private async attempt(address: string, wanted: boolean): Promise<Attempt> {
    for (let number = 1; ; number++) {
      const made = await this.connect(address);
      if (made.reached === wanted || number === ATTEMPTS) return made;
      await this.space.pause(BETWEEN_ATTEMPTS_MS);
    }
  }

  private async connect(address: string): Promise<Attempt> {
    this.attempts += 1;
    const name = `client-${this.attempts}`;
    await this.createPod(name, this.image.connect(`${address}:${PORT}`), false);
    let made: Attempt | undefined;
    await this.space.until("a client of the probe has ended", async () => {
      const { status } = await this.space.read(name);
      const ended = status?.containerStatuses?.[0]?.state?.terminated;
      made = ended && { reached: ended.exitCode === 0, said: (ended.message ?? "").trim().slice(-300) };
      return made !== undefined;
    });
    return made ?? { reached: false, said: "" };
  }

  private createPod(name: string, { command, args }: Program, listens: boolean): Promise<void> {
    const { image, user } = this.image;
    return this.space.createPod(name, {
      user,
      container: {
        name: "probe",
        image,
        ...(command && { command }),
        args,
        env: HOME_IN_TMP,
        ...(listens ? { readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 1 } } : {}),
        resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "512Mi" } },
      },
    });
  }
}

/** For programs that write to their home: nothing else is writable. */
export const HOME_IN_TMP = [
  { name: "HOME", value: "/tmp" },
  { name: "TMPDIR", value: "/tmp" },
];

const denyAll = (namespace: string) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: POLICY, namespace },
  spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
});
