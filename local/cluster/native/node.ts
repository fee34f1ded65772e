import { mkdir, writeFile } from "node:fs/promises";
import { cache, state } from "../../../common/paths";
import { commandPath } from "../../../toolchain/install";
import { programs } from "../../../toolchain/programs";
import { addresses, nodeName, registryHost } from "./addresses";
import { cgroupName } from "./cgroups";
import { type CommandLine, withFlags } from "./controlPlane";
import { kubeconfigOf, pki } from "./pki";

const config = (file: string): string => state("config", file);
const containerdSocket = state("run", "containerd.sock");

/** What turns the machine into a Kubernetes node: the registry, the container runtime, and the node's agents. */
export const nodeComponents = {
  registry: ["docker-registry", "serve", config("registry.json")] satisfies CommandLine,
  containerd: withFlags("containerd", { config: config("containerd.toml") }),
  kubelet: withFlags(commandPath(programs.kubernetes, "kubelet"), {
    config: config("kubelet.json"),
    kubeconfig: kubeconfigOf("kubelet"),
    "hostname-override": nodeName,
    "node-ip": addresses.nodeIp,
    "root-dir": state("kubelet"),
    "cert-dir": state("pki", "kubelet"),
  }),
  "kube-proxy": withFlags(commandPath(programs.kubernetes, "kube-proxy"), {
    kubeconfig: kubeconfigOf("kube-proxy"),
    "hostname-override": nodeName,
    "cluster-cidr": addresses.podCidr,
    "proxy-mode": "iptables",
    "bind-address": addresses.nodeIp,
    // The table's size belongs to the whole machine, not to this network namespace.
    "conntrack-max-per-core": 0,
  }),
};

const kubelet = {
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: pki("ca.crt") },
  },
  authorization: { mode: "Webhook" },
  cgroupDriver: "cgroupfs",
  cgroupRoot: `/${cgroupName}`,
  clusterDNS: [addresses.clusterDns],
  clusterDomain: addresses.clusterDomain,
  containerRuntimeEndpoint: `unix://${containerdSocket}`,
  // A laptop's disk is often nearly full: evict only when it really is.
  evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
  failSwapOn: false,
  podLogsDir: state("log", "pods"),
  resolvConf: config("resolv.conf"),
  volumePluginDir: state("kubelet", "plugins"),
};

const podNetwork = {
  cniVersion: "1.0.0",
  name: "pods",
  plugins: [
    {
      type: "bridge",
      bridge: addresses.podBridge,
      isGateway: true,
      ipMasq: false,
      hairpinMode: true,
      ipam: {
        type: "host-local",
        dataDir: state("cni", "addresses"),
        ranges: [[{ subnet: addresses.podCidr }]],
        routes: [{ dst: "0.0.0.0/0" }],
      },
    },
    { type: "portmap", capabilities: { portMappings: true } },
  ],
};

const containerdConfig = (pauseImage: string): string => `
version = 2
root = "${state("containerd")}"
state = "${state("run", "containerd")}"
[grpc]
  address = "${containerdSocket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # A machine without CAP_SYS_RESOURCE cannot lower oom_score_adj, and no pod would start.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${state("config", "cni")}"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "${state("config", "registries")}"
`;

const registry = {
  version: 0.1,
  log: { level: "warn" },
  storage: { filesystem: { rootdirectory: cache("registry") }, delete: { enabled: true } },
  http: { addr: `${addresses.nodeIp}:5000` },
};

/** The node's registry speaks plain HTTP, on an address that only this machine has. */
const registryHosts = `server = "http://${registryHost}"\n[host."http://${registryHost}"]\n  capabilities = ["pull", "resolve"]\n`;

/** Writes the configuration files of the node's components. */
export async function writeNodeConfig(): Promise<void> {
  for (const folder of [config("cni"), config(`registries/${registryHost}`), cache("registry")]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  await writeFile(config("kubelet.json"), JSON.stringify(kubelet, null, 2));
  await writeFile(config("cni/10-pods.conflist"), JSON.stringify(podNetwork, null, 2));
  await writeFile(config("registry.json"), JSON.stringify(registry, null, 2));
  await writeFile(config(`registries/${registryHost}/hosts.toml`), registryHosts);
  await writeFile(
    config("resolv.conf"),
    "# pods have no way out of this machine: names outside the cluster are unknown\n",
  );
}

/**
 * Writes the container runtime's configuration.
 *
 * @param pauseImage what holds a pod's namespaces, by digest
 */
export async function writeContainerdConfig(pauseImage: string): Promise<void> {
  await writeFile(config("containerd.toml"), containerdConfig(pauseImage));
}
