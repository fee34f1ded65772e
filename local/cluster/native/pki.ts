import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { execa } from "execa";
import { tools } from "../../../settings/versions";
import { state } from "../../../common/paths";
import { commandPath } from "../../../toolchain/install";
import { programs } from "../../../toolchain/programs";
import { addresses, nodeName } from "./addresses";

export const pki = (file: string): string => state("pki", file);
/** The kubeconfig of one of the control plane's own identities, as kubeadm names the files. */
export const kubeconfigOf = (identity: string): string => state("kubeconfig", `${identity}.conf`);
/** The kubeconfig for people and for Pulumi. */
export const adminKubeconfig = kubeconfigOf("super-admin");

const kubeadmConfig = state("config", "kubeadm.yaml");

/** Has kubeadm make the certificate authorities, certificates and kubeconfigs. Existing ones are kept. */
export async function createPki(): Promise<void> {
  if (existsSync(kubeconfigOf("kube-proxy"))) return;
  await mkdir(state("config"), { recursive: true, mode: 0o700 });
  await mkdir(state("kubeconfig"), { recursive: true, mode: 0o700 });
  await writeFile(kubeadmConfig, documents(initConfiguration, clusterConfiguration));
  await kubeadm("init", "phase", "certs", "all", "--config", kubeadmConfig);
  await kubeadm(
    ...["init", "phase", "kubeconfig", "all"],
    ...["--config", kubeadmConfig, "--kubeconfig-dir", state("kubeconfig")],
  );
  await writeFile(kubeconfigOf("kube-proxy"), await userKubeconfig("system:kube-proxy"), { mode: 0o600 });
}

/** The kubeconfig, as text, of a user whom the cluster knows by a certificate of its authority. */
export const userKubeconfig = (name: string): Promise<string> =>
  kubeadm("kubeconfig", "user", "--client-name", name, "--config", kubeadmConfig);

/** The administrator's kubeconfig as text. */
export const readAdminKubeconfig = (): Promise<string> => readFile(adminKubeconfig, "utf8");

const initConfiguration = {
  apiVersion: "kubeadm.k8s.io/v1beta4",
  kind: "InitConfiguration",
  nodeRegistration: { name: nodeName, criSocket: `unix://${state("run", "containerd.sock")}` },
  localAPIEndpoint: { advertiseAddress: addresses.nodeIp, bindPort: 6443 },
};

const clusterConfiguration = {
  apiVersion: "kubeadm.k8s.io/v1beta4",
  kind: "ClusterConfiguration",
  clusterName: "temporal-stack",
  // Without a version kubeadm asks the internet for the newest one.
  kubernetesVersion: `v${tools.kubernetes}`,
  certificatesDir: state("pki"),
  networking: { serviceSubnet: addresses.serviceCidr, dnsDomain: addresses.clusterDomain },
};

/** JSON documents are YAML documents. */
const documents = (...objects: readonly object[]): string =>
  objects.map((object) => JSON.stringify(object, null, 2)).join("\n---\n");

async function kubeadm(...args: string[]): Promise<string> {
  const { stdout } = await execa(commandPath(programs.kubernetes, "kubeadm"), args);
  return stdout;
}
