import { setTimeout as delay } from "node:timers/promises";
import type { AppsV1Api, KubeConfig, V1Deployment } from "@kubernetes/client-node";
import { Failure } from "../../common/failure";
import { CHART_SERVER } from "../../components/manifests/temporalNames";
import type { StackOutputs } from "../../common/stackOutputs";
import type { Mapping } from "../../settings/mapping";
import { SERVER_ROLES } from "../../settings/temporal";

/** Annotation of a Deployment that a restore has stopped: the pods that it had. */
const REPLICAS_BEFORE = "temporal-stack/replicas-before-restore";
const POLL_MS = 1_000;
const MARGIN_SECONDS = 60;

/** A Deployment of the server or of a worker group. */
interface Place {
  readonly namespace: string;
  readonly name: string;
}

/** What opens or changes workflows: worker groups, then the roles of the server, in the order in which they stop. */
export class Writers {
  private constructor(
    private readonly apps: AppsV1Api,
    private readonly patchOptions: Parameters<AppsV1Api["patchNamespacedDeployment"]>[1],
    private readonly places: readonly (Place | { readonly server: string })[],
  ) {}

  /** @param temporalNamespace of the server */
  static async of(
    config: KubeConfig,
    workers: StackOutputs["workers"],
    temporalNamespace: string,
  ): Promise<Writers> {
    const { AppsV1Api, PatchStrategy, setHeaderOptions } = await import("@kubernetes/client-node");
    return new Writers(
      config.makeApiClient(AppsV1Api),
      setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
      [
        ...workers.map(({ namespace, deployment }) => ({ namespace, name: deployment })),
        { server: temporalNamespace },
      ],
    );
  }

  /** `namespace/name` of those that an earlier call stopped and nobody has started. */
  async stopped(): Promise<string[]> {
    return (await this.read()).filter((deployment) => replicasBefore(deployment) !== undefined).map(nameOf);
  }

  /** `namespace/name (pods)` of those that have pods. */
  async running(): Promise<string[]> {
    return (await this.read()).flatMap((deployment) => {
      const pods = Math.max(deployment.spec?.replicas ?? 1, deployment.status?.replicas ?? 0);
      return pods === 0 ? [] : [`${nameOf(deployment)} (${pods})`];
    });
  }

  /**
   * Takes them to zero, an autoscaler's included, which rests at zero, and waits until their pods are gone.
   * @throws Failure naming those that stay
   */
  async stop(onLine: (line: string) => void): Promise<void> {
    const found = await this.read();
    for (const deployment of found) {
      const replicas = deployment.spec?.replicas ?? 1;
      if (replicas === 0) continue;
      onLine(`stopping ${nameOf(deployment)}`);
      // The first number counts: pods may have come back between two calls.
      await this.patch(deployment, 0, replicasBefore(deployment) ?? String(replicas));
    }
    const grace = Math.max(
      ...found.map(({ spec }) => spec?.template.spec?.terminationGracePeriodSeconds ?? 30),
      0,
    );
    const deadline = Date.now() + (grace + MARGIN_SECONDS) * 1_000;
    for (;;) {
      const left = await this.running();
      if (left.length === 0) return;
      onLine(`waiting for ${left.join(", ")}`);
      if (Date.now() > deadline) {
        throw new Failure(
          `pods are not gone after ${grace + MARGIN_SECONDS} s`,
          "see what holds them (kubectl describe), then run the command again: it carries on from here",
          left,
        );
      }
      await delay(POLL_MS);
    }
  }

  /** Starts what was stopped, the server first; a worker group with one pod, to which its autoscaler adds. */
  async start(onLine: (line: string) => void): Promise<void> {
    for (const deployment of (await this.read()).reverse()) {
      const before = replicasBefore(deployment);
      if (before === undefined) continue;
      onLine(`starting ${nameOf(deployment)}`);
      const now = deployment.spec?.replicas ?? 0;
      await this.patch(deployment, now > 0 ? now : isServer(deployment) ? Number(before) : 1, null);
    }
  }

  private async patch(deployment: V1Deployment, replicas: number, before: string | null): Promise<void> {
    const name = deployment.metadata?.name ?? "";
    const namespace = deployment.metadata?.namespace ?? "";
    const metadata: Mapping = { annotations: { [REPLICAS_BEFORE]: before } };
    const body: Mapping = { metadata, spec: { replicas } };
    await this.apps.patchNamespacedDeployment({ name, namespace, body }, this.patchOptions);
  }

  private async read(): Promise<V1Deployment[]> {
    const found = await Promise.all(
      this.places.map(async (place) => {
        if ("server" in place) return this.roles(place.server);
        const { items } = await this.apps.listNamespacedDeployment({
          namespace: place.namespace,
          fieldSelector: `metadata.name=${place.name}`,
        });
        return items;
      }),
    );
    return found.flat();
  }

  private async roles(namespace: string): Promise<V1Deployment[]> {
    const labelSelector = [
      ...Object.entries(CHART_SERVER).map(([key, value]) => `${key}=${value}`),
      `app.kubernetes.io/component in (${SERVER_ROLES.join(",")})`,
    ].join(",");
    return (await this.apps.listNamespacedDeployment({ namespace, labelSelector })).items;
  }
}

const nameOf = ({ metadata }: V1Deployment): string => `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;

const isServer = ({ metadata }: V1Deployment): boolean =>
  Object.entries(CHART_SERVER).every(([key, value]) => metadata?.labels?.[key] === value);

const replicasBefore = ({ metadata }: V1Deployment): string | undefined =>
  metadata?.annotations?.[REPLICAS_BEFORE];
