import { state } from "../../../common/paths";
import { commandPath } from "../../../toolchain/install";
import { programs } from "../../../toolchain/programs";
import { addresses } from "./addresses";
import { kubeconfigOf, pki } from "./pki";

const ETCD = "https://127.0.0.1:2379";

export type CommandLine = readonly [program: string, ...args: string[]];

/** A command line with each flag in the form `--name=value`. */
export const withFlags = (
  program: string,
  flags: Readonly<Record<string, string | number | boolean>>,
): CommandLine => [program, ...Object.entries(flags).map(([flag, value]) => `--${flag}=${String(value)}`)];

const kubernetes = (command: string): string => commandPath(programs.kubernetes, command);

/** The stores and servers of the control plane, with the files that kubeadm made for them. */
export const controlPlane = {
  etcd: withFlags("etcd", {
    "data-dir": state("etcd"),
    "listen-client-urls": ETCD,
    "advertise-client-urls": ETCD,
    "listen-peer-urls": "http://127.0.0.1:2380",
    "client-cert-auth": true,
    "trusted-ca-file": pki("etcd/ca.crt"),
    "cert-file": pki("etcd/server.crt"),
    "key-file": pki("etcd/server.key"),
  }),
  "kube-apiserver": withFlags(kubernetes("kube-apiserver"), {
    "advertise-address": addresses.nodeIp,
    "allow-privileged": true,
    "authorization-mode": "Node,RBAC",
    "enable-admission-plugins": "NodeRestriction",
    "service-cluster-ip-range": addresses.serviceCidr,
    "client-ca-file": pki("ca.crt"),
    "tls-cert-file": pki("apiserver.crt"),
    "tls-private-key-file": pki("apiserver.key"),
    "etcd-servers": ETCD,
    "etcd-cafile": pki("etcd/ca.crt"),
    "etcd-certfile": pki("apiserver-etcd-client.crt"),
    "etcd-keyfile": pki("apiserver-etcd-client.key"),
    "kubelet-client-certificate": pki("apiserver-kubelet-client.crt"),
    "kubelet-client-key": pki("apiserver-kubelet-client.key"),
    "kubelet-preferred-address-types": "InternalIP",
    "service-account-issuer": `https://kubernetes.default.svc.${addresses.clusterDomain}`,
    "service-account-key-file": pki("sa.pub"),
    "service-account-signing-key-file": pki("sa.key"),
    "requestheader-client-ca-file": pki("front-proxy-ca.crt"),
    "requestheader-allowed-names": "front-proxy-client",
    "requestheader-extra-headers-prefix": "X-Remote-Extra-",
    "requestheader-group-headers": "X-Remote-Group",
    "requestheader-username-headers": "X-Remote-User",
    "proxy-client-cert-file": pki("front-proxy-client.crt"),
    "proxy-client-key-file": pki("front-proxy-client.key"),
  }),
  "kube-controller-manager": withFlags(kubernetes("kube-controller-manager"), {
    kubeconfig: kubeconfigOf("controller-manager"),
    "authentication-kubeconfig": kubeconfigOf("controller-manager"),
    "authorization-kubeconfig": kubeconfigOf("controller-manager"),
    "bind-address": "127.0.0.1",
    "client-ca-file": pki("ca.crt"),
    "cluster-signing-cert-file": pki("ca.crt"),
    "cluster-signing-key-file": pki("ca.key"),
    "root-ca-file": pki("ca.crt"),
    "requestheader-client-ca-file": pki("front-proxy-ca.crt"),
    "service-account-private-key-file": pki("sa.key"),
    "use-service-account-credentials": true,
    "leader-elect": false,
  }),
  "kube-scheduler": withFlags(kubernetes("kube-scheduler"), {
    kubeconfig: kubeconfigOf("scheduler"),
    "authentication-kubeconfig": kubeconfigOf("scheduler"),
    "authorization-kubeconfig": kubeconfigOf("scheduler"),
    "bind-address": "127.0.0.1",
    "leader-elect": false,
  }),
};
