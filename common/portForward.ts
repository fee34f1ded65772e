import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { CoreV1Api, KubeConfig, V1Pod } from "@kubernetes/client-node";

/** A port of a Service in the cluster. */
export interface ServicePort {
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
}

/** A port of a pod. */
interface PodPort {
  readonly pod: string;
  readonly port: number;
}

/**
 * Serves a port of this machine's loopback address and passes each connection on to a ready pod of a service.
 * @param localPort 0: any free one
 */
export async function forwardPort(
  config: KubeConfig,
  target: ServicePort,
  localPort: number,
): Promise<Server> {
  const { CoreV1Api } = await import("@kubernetes/client-node");
  const core = config.makeApiClient(CoreV1Api);
  const label = `${target.namespace}/${target.service}:${target.port}`;
  return serve(
    config,
    target.namespace,
    () => readyPod(core, target),
    localPort,
    (reason) => {
      console.error(`${label}: ${reason}`);
    },
  );
}

/** The same to one pod, on any free port; a connection that it does not take ends without a word. */
export const forwardPodPort = (config: KubeConfig, namespace: string, target: PodPort): Promise<Server> =>
  serve(
    config,
    namespace,
    () => Promise.resolve(target),
    0,
    () => undefined,
  );

async function serve(
  config: KubeConfig,
  namespace: string,
  find: () => Promise<PodPort>,
  localPort: number,
  onFailure: (reason: string) => void,
): Promise<Server> {
  const { PortForward } = await import("@kubernetes/client-node");
  const portForward = new PortForward(config);
  const connect = async (socket: Socket): Promise<void> => {
    const { pod, port } = await find();
    await portForward.portForward(namespace, pod, [port], socket, null, socket);
  };
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    connect(socket).catch((error: unknown) => {
      onFailure(reasonOf(error));
      socket.destroy();
    });
  }).listen(localPort, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** A WebSocket that is refused rejects with an event, not with an Error. */
function reasonOf(error: unknown): string {
  return typeof error === "object" && error !== null && "message" in error
    ? String(error.message)
    : String(error);
}

async function readyPod(core: CoreV1Api, { namespace, service, port }: ServicePort): Promise<PodPort> {
  const { spec } = await core.readNamespacedService({ name: service, namespace });
  const servicePort = spec?.ports?.find((candidate) => candidate.port === port);
  const labelSelector = Object.entries(spec?.selector ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const { items } = await core.listNamespacedPod({ namespace, labelSelector });
  const pod = items.find(isReady);
  const target = pod === undefined ? undefined : containerPort(pod, servicePort?.targetPort ?? port);
  if (pod?.metadata?.name === undefined || target === undefined) {
    throw new Error(`no ready pod behind ${namespace}/${service}:${port}`);
  }
  return { pod: pod.metadata.name, port: target };
}

const isReady = ({ metadata, status }: V1Pod): boolean =>
  metadata?.deletionTimestamp === undefined &&
  (status?.conditions ?? []).some(({ type, status: value }) => type === "Ready" && value === "True");

function containerPort(pod: V1Pod, target: number | string): number | undefined {
  if (typeof target === "number") return target;
  const ports = pod.spec?.containers.flatMap(({ ports }) => ports ?? []) ?? [];
  return ports.find(({ name }) => name === target)?.containerPort;
}
