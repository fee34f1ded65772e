import type { Peer, PortedPeer } from "./addresses";

/** Every address, IPv4 and IPv6. */
export const EVERYWHERE: readonly string[] = ["0.0.0.0/0", "::/0"];

/** How pods reach what belongs to the cluster, and are reached by it. */
export interface NetworkDefaults {
  readonly dns: readonly PortedPeer[];
  readonly apiServerPorts: readonly number[];
  /** Pods that call webhooks in the API server's stead. */
  readonly webhookCallers: readonly Peer[];
}

const KUBE_SYSTEM = "kube-system";

/**
 * Where names are resolved. A Service's address counts where a program on the node itself answers it: no policy
 * sees a pod behind it then.
 */
const DNS: readonly PortedPeer[] = [
  // CoreDNS of kubeadm, k3s, EKS and AKS; kube-dns of GKE.
  { namespace: KUBE_SYSTEM, podLabels: { "k8s-app": "kube-dns" }, ports: [53] },
  // NodeLocal DNSCache where the plugin redirects to its pods: GKE Dataplane V2, Cilium.
  { namespace: KUBE_SYSTEM, podLabels: { "k8s-app": "node-local-dns" }, ports: [53] },
  {
    cidrs: [
      // NodeLocal DNSCache on the node's network (`__PILLAR__LOCAL__DNS__` of its manifest).
      "169.254.20.10/32",
      // Cloud DNS of GKE, by the node's metadata server.
      "169.254.169.254/32",
      // LocalDNS of AKS, for the cluster's names and others.
      "169.254.10.10/32",
      "169.254.10.11/32",
      // The DNS Service of EKS, by the VPC's range: in Auto Mode and with NodeLocal DNSCache the node answers.
      "10.100.0.10/32",
      "172.20.0.10/32",
      // The DNS Service of kubeadm, which NodeLocal DNSCache answers, too.
      "10.96.0.10/32",
    ],
    ports: [53],
  },
  // OpenShift: port 53 of the Service is 5353 of the pods.
  {
    namespace: "openshift-dns",
    podLabels: { "dns.operator.openshift.io/daemonset-dns": "default" },
    ports: [5353],
  },
];

/** Pods of konnectivity, through which an API server outside the cluster's network calls webhooks. */
const konnectivity = (labelKey: string): Peer => ({
  namespace: KUBE_SYSTEM,
  podLabels: { [labelKey]: "konnectivity-agent" },
});

/** What holds on any cluster. */
export const NETWORK_DEFAULTS: NetworkDefaults = {
  dns: DNS,
  apiServerPorts: [443, 6443],
  // GKE labels them with the first key, AKS with the second.
  webhookCallers: [konnectivity("k8s-app"), konnectivity("app")],
};
