import { z } from "zod";
import { cidrs, peer, type PortedPeer, portedPeer, ports } from "./addresses";

/** Every address, IPv4 and IPv6. */
export const EVERYWHERE: readonly string[] = ["0.0.0.0/0", "::/0"];

const KUBE_SYSTEM = "kube-system";

/**
 * Where names are resolved. A Service's address counts where a program on the node itself answers it: no policy
 * sees a pod behind it then.
 */
export const DNS_PEERS: readonly PortedPeer[] = [
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

const door = (what: string, who: string) =>
  z
    .array(peer(who), { error: "a list of {namespace, podLabels} or {cidrs}" })
    .default([])
    .describe(`${what}; nobody by default.`);

/** Who may connect, beyond the stack's own flows, and what of the cluster the stack reaches. */
export const networkAccess = z
  .strictObject({
    frontendFrom: door("Who may call the Temporal frontend", "the clients"),
    uiFrom: door(
      "Who may open the Temporal UI: the pods of an ingress controller, or the addresses of a load balancer or of an ingress controller on the nodes' network",
      "the ingress controller",
    ),
    codecFrom: door(
      "Who may call the codec server: the pods of an ingress controller, or the addresses of a load balancer or of an ingress controller on the nodes' network",
      "the ingress controller",
    ),
    metricsFrom: door("Who may scrape metrics, like Prometheus", "Prometheus"),
    dns: z
      .array(portedPeer("the DNS servers"), {
        error: "a list of {namespace, podLabels, ports} or {cidrs, ports}",
      })
      .min(1, { error: "a list of at least one DNS server: without names nothing of the stack works" })
      .default([...DNS_PEERS])
      .describe(
        "Where every pod of the stack resolves names, by UDP and TCP. The default holds for CoreDNS and kube-dns, NodeLocal DNSCache, Cloud DNS of GKE, LocalDNS of AKS, EKS Auto Mode and OpenShift. A list replaces it.",
      ),
    apiServer: z
      .strictObject({
        cidrs: cidrs()
          .default([...EVERYWHERE])
          .describe(
            "Addresses of the Kubernetes API server, which no selector matches; everything by default. `kubectl get endpointslices kubernetes` shows them.",
          ),
        ports: ports()
          .default([443, 6443])
          .describe(
            "Ports of the API server: of its Service and behind it, as plugins differ in which they check.",
          ),
      })
      .prefault({}),
  })
  .prefault({});
