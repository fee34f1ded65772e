// Runs in the background: serves loopback ports and passes each connection on to a ready pod of a service.
import { createServer, type Socket } from "node:net";
import { CoreV1Api, KubeConfig, PortForward, type V1Pod } from "@kubernetes/client-node";
import { z } from "zod";

const forwardsSchema = z.array(
  z.object({ localPort: z.number(), namespace: z.string(), service: z.string(), port: z.number() }),
);
/** A port of this machine and the service behind it. */
export type Forward = z.infer<typeof forwardsSchema>[number];

const config = new KubeConfig();
config.loadFromDefault();
const context = process.argv[3];
if (context !== undefined) config.setCurrentContext(context);
const core = config.makeApiClient(CoreV1Api);
const portForward = new PortForward(config);

for (const forward of forwardsSchema.parse(JSON.parse(process.argv[2] ?? "[]"))) {
  createServer((socket) => {
    socket.on("error", () => socket.destroy());
    connect(forward, socket).catch((error: unknown) => {
      console.error(String(error));
      socket.destroy();
    });
  }).listen(forward.localPort, "127.0.0.1");
}

async function connect({ namespace, service, port }: Forward, socket: Socket): Promise<void> {
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
  await portForward.portForward(namespace, pod.metadata.name, [target], socket, null, socket);
}

const isReady = ({ metadata, status }: V1Pod): boolean =>
  metadata?.deletionTimestamp === undefined &&
  (status?.conditions ?? []).some(({ type, status: value }) => type === "Ready" && value === "True");

function containerPort(pod: V1Pod, target: number | string): number | undefined {
  if (typeof target === "number") return target;
  const ports = pod.spec?.containers.flatMap(({ ports }) => ports ?? []) ?? [];
  return ports.find(({ name }) => name === target)?.containerPort;
}
