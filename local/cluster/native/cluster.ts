import { request } from "node:https";
import { readFile } from "node:fs/promises";
import { connect as connectSocket } from "node:net";
import { applyManifest } from "./addons";
import { addresses, apiServerUrl } from "./addresses";
import { createCgroups, removeCgroups } from "./cgroups";
import { controlPlane } from "./controlPlane";
import { dockerSandbox, startDocker } from "./docker";
import { clusterImages, localImages, provideImage } from "./images";
import { cableExists, connect, disconnect, isConnected } from "./network";
import { nodeComponents, writeContainerdConfig, writeNodeConfig } from "./node";
import { createPki, pki } from "./pki";
import { runningPid, start, waitUntilReady } from "./process";
import { recordSysctls, restoreSysctls } from "./sysctls";
import { close, enter, open, runInside, type Sandbox } from "./sandbox";

export const nodeSandbox: Sandbox = { name: "node-sandbox", namespaces: ["pid", "mount", "net"] };

/** Opens the node's namespaces and starts what images are built and kept with. */
export async function startImageServices(): Promise<void> {
  await createCgroups();
  await openNode();
  await writeNodeConfig();
  startInNode("registry", nodeComponents.registry);
  await startDocker();
  await waitUntilReady("registry", () => isListening(5000), 20);
}

/** Starts the control plane and the node; returns once the API server is ready. */
export async function startControlPlane(): Promise<void> {
  await createPki();
  for (const name of ["etcd", "kube-apiserver"] as const) startInNode(name, controlPlane[name]);
  await writeContainerdConfig(await provideImage(localImages.pause));
  startInNode("containerd", nodeComponents.containerd);
  await waitUntilReady("kube-apiserver", apiServerIsReady, 90);
  for (const name of ["kube-controller-manager", "kube-scheduler"] as const)
    startInNode(name, controlPlane[name]);
  if (runningPid("kubelet") === undefined) await recordSysctls();
  for (const name of ["kubelet", "kube-proxy"] as const) startInNode(name, nodeComponents[name]);
}

/** Gives the API server its permissions on the node, and the cluster its DNS and its default storage class. */
export async function installClusterServices(): Promise<void> {
  const references: Record<string, string> = {};
  for (const name of clusterImages) references[name] = await provideImage(localImages[name]);
  await applyManifest("api-server-rbac.yaml", {});
  await applyManifest("coredns.yaml", references);
  await applyManifest("local-path-provisioner.yaml", references);
}

/**
 * Ends the cluster of this state folder: its processes, mounts, interfaces and rules go with its namespaces. Another
 * state folder's cluster keeps its cable and control groups, which have the same names.
 */
export async function stopCluster(): Promise<void> {
  const wasConnected = await isConnected(nodeSandbox);
  for (const sandbox of [nodeSandbox, dockerSandbox]) await close(sandbox);
  if (wasConnected) await disconnect();
  await restoreSysctls();
  if (!(await cableExists())) await removeCgroups();
}

/** Runs a program in the node's namespaces that stays until the cluster stops. */
export function startInNode(name: string, command: readonly string[]): void {
  start({ name, command: [...enter(nodeSandbox), ...command] });
}

/** Runs a command in the node's namespaces to its end. */
export const runInNode = (command: readonly string[]): Promise<void> => runInside(nodeSandbox, command);

async function openNode(): Promise<void> {
  await open(nodeSandbox);
  await connect(nodeSandbox);
  // Sockets, locks and mounts of the node's programs go to a /run of their own.
  await runInNode(["sh", "-c", "test -e /run/node || { mount -t tmpfs tmpfs /run && touch /run/node; }"]);
}

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connectSocket({ host: addresses.nodeIp, port, timeout: 1_000 });
    const settle = (listening: boolean) => () => {
      socket.destroy();
      resolve(listening);
    };
    socket.once("connect", settle(true)).once("error", settle(false)).once("timeout", settle(false));
  });

async function apiServerIsReady(): Promise<boolean> {
  const ca = await readFile(pki("ca.crt"));
  return new Promise((resolve) => {
    request(`${apiServerUrl}/readyz`, { ca, timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .once("error", () => resolve(false))
      .end();
  });
}
