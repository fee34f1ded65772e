import type { Peer, PortedPeer } from "./addresses";

/** Every address, IPv4 and IPv6. */
export const EVERYWHERE: readonly string[] = ["0.0.0.0/0", "::/0"];

/** Clusters whose network is known; `generic` holds on any of them. */
export const PRESETS = ["generic", "gke", "eks", "aks", "openshift"] as const;
/** One of them. */
export type Preset = (typeof PRESETS)[number];

/** How pods reach what belongs to the cluster, and are reached by it. */
export interface NetworkDefaults {
  readonly dns: readonly PortedPeer[];
  readonly apiServerPorts: readonly number[];
  /** Pods that call webhooks in the API server's stead. */
  readonly webhookCallers: readonly Peer[];
}

const inKubeSystem = (key: string, value: string): Peer => ({
  namespace: "kube-system",
  podLabels: { [key]: value },
});

/** CoreDNS of kubeadm, k3s, EKS and AKS; kube-dns of GKE. */
const CLUSTER_DNS: PortedPeer = { ...inKubeSystem("k8s-app", "kube-dns"), ports: [53] };
/** NodeLocal DNSCache where the plugin redirects to its pods: GKE Dataplane V2, Cilium. */
const CACHE_PODS: PortedPeer = { ...inKubeSystem("k8s-app", "node-local-dns"), ports: [53] };
/** OpenShift: port 53 of the Service is 5353 of the pods. */
const OPENSHIFT_DNS: PortedPeer = {
  namespace: "openshift-dns",
  podLabels: { "dns.operator.openshift.io/daemonset-dns": "default" },
  ports: [5353],
};

/** NodeLocal DNSCache on the node's network (`__PILLAR__LOCAL__DNS__` of its manifest). */
const NODE_LOCAL = ["169.254.20.10/32"];
/** Cloud DNS of GKE, by the node's metadata server. */
const CLOUD_DNS = ["169.254.169.254/32"];
/** LocalDNS of AKS, for other names and for the cluster's. */
const AKS_LOCAL_DNS = ["169.254.10.10/32", "169.254.10.11/32"];

/*
 * Addresses of the DNS Service. They count where a program on the node itself answers for it, as no policy sees a pod
 * behind it then: NodeLocal DNSCache beside kube-proxy, and EKS Auto Mode.
 */
const KUBEADM_DNS_SERVICE = ["10.96.0.10/32"];
/** In the default range of Services, 34.118.224.0/20. */
const GKE_DNS_SERVICE = ["34.118.224.10/32"];
/** The one or the other, by the VPC's range. */
const EKS_DNS_SERVICE = ["10.100.0.10/32", "172.20.0.10/32"];

const at = (...ranges: readonly string[][]): PortedPeer => ({ cidrs: ranges.flat(), ports: [53] });

/** Pods of konnectivity, through which an API server outside the cluster's network calls webhooks. */
const GKE_KONNECTIVITY = inKubeSystem("k8s-app", "konnectivity-agent");
const AKS_KONNECTIVITY = inKubeSystem("app", "konnectivity-agent");

/** What each preset stands for. */
export const NETWORK_PRESETS: Readonly<Record<Preset, NetworkDefaults>> = {
  generic: {
    dns: [
      CLUSTER_DNS,
      CACHE_PODS,
      at(NODE_LOCAL, CLOUD_DNS, AKS_LOCAL_DNS, EKS_DNS_SERVICE, KUBEADM_DNS_SERVICE),
      OPENSHIFT_DNS,
    ],
    apiServerPorts: [443, 6443],
    webhookCallers: [GKE_KONNECTIVITY, AKS_KONNECTIVITY],
  },
  gke: {
    dns: [CLUSTER_DNS, CACHE_PODS, at(NODE_LOCAL, CLOUD_DNS, GKE_DNS_SERVICE)],
    apiServerPorts: [443],
    webhookCallers: [GKE_KONNECTIVITY],
  },
  eks: {
    dns: [CLUSTER_DNS, at(NODE_LOCAL, EKS_DNS_SERVICE)],
    apiServerPorts: [443],
    webhookCallers: [],
  },
  aks: {
    dns: [CLUSTER_DNS, CACHE_PODS, at(NODE_LOCAL, AKS_LOCAL_DNS)],
    apiServerPorts: [443],
    webhookCallers: [AKS_KONNECTIVITY],
  },
  openshift: {
    dns: [OPENSHIFT_DNS],
    apiServerPorts: [443, 6443],
    webhookCallers: [],
  },
};
