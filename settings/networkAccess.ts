import { z } from "zod";
import { doorProblems, oneKindOf, type Peer, peer, peerFields, portedPeer, ports } from "./addresses";
import { flag, oneOf } from "./fields";
import { EVERYWHERE, NETWORK_PRESETS, PRESETS } from "./networkPresets";

const door = (what: string, who: string) =>
  z
    .array(peer(who), { error: "a list of {namespace, podLabels} or {cidrs}" })
    .check(({ value, issues }) => {
      issues.push(...value.flatMap((entry, index) => doorProblems(entry, who, [index])));
    })
    .default([])
    .describe(`${what}; nobody by default.`);

const apiServer = z
  .strictObject({
    ...peerFields("the API server"),
    ports: ports()
      .optional()
      .describe(
        "Ports of the API server, of its Service and behind it, as plugins differ in which they check. By default the preset's: 443, and 6443 where the API server may listen there.",
      ),
  })
  .check((context) => {
    const { namespace, podLabels, cidrs } = context.value;
    if ((namespace ?? podLabels ?? cidrs) !== undefined) oneKindOf("the API server")(context);
  })
  .prefault({})
  .describe(
    "Where the Kubernetes API server is, for the Postgres operator and its instances: every address by default, on its ports only; with `cilium` the entity `kube-apiserver`. Name what `kubectl get endpointslices,services kubernetes` shows, both: plugins differ in which they check.",
  );

/** Who may connect, beyond the stack's own flows, and how the stack reaches what belongs to the cluster. */
export const networkAccess = z
  .strictObject({
    preset: oneOf(PRESETS)
      .default("generic")
      .describe(
        "Whose defaults `dns`, `apiServer.ports` and `webhooksFrom` have; each of them wins where it is set. `generic` holds on all of them, and a cloud's own opens less. [network.md](network.md#presets) lists them.",
      ),
    cilium: flag()
      .default(false)
      .describe(
        "Whether Cilium enforces the policies: `CiliumNetworkPolicy` objects open by entity what no address range matches there, the API server and the nodes. The resource type must exist.",
      ),
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
      .optional()
      .describe(
        "Where every pod of the stack resolves names, by UDP and TCP. The preset's servers by default; `generic` knows CoreDNS and kube-dns, NodeLocal DNSCache, Cloud DNS of GKE, LocalDNS of AKS, EKS Auto Mode and OpenShift. A list replaces them.",
      ),
    apiServer,
    webhooksFrom: z
      .array(peer("the callers of admission webhooks"), {
        error: "a list of {namespace, podLabels} or {cidrs}",
      })
      .min(1, { error: "a list of at least one caller: without admission no Postgres cluster can be made" })
      .optional()
      .describe(
        "Who calls the admission webhook of the Postgres operator: the API server, or the pods through which it reaches the cluster. By default where `apiServer` is, and the preset's pods of konnectivity (GKE, AKS).",
      ),
  })
  .transform(({ dns, apiServer: { ports: apiPorts, ...named }, webhooksFrom, ...rest }) => {
    const defaults = NETWORK_PRESETS[rest.preset];
    const peers = apiServerPeers(named, rest.cilium);
    return {
      ...rest,
      dns: dns ?? defaults.dns,
      apiServer: { peers, ports: apiPorts ?? defaults.apiServerPorts },
      webhooksFrom: webhooksFrom ?? [...peers, ...defaults.webhookCallers],
    };
  })
  .prefault({});

/** Peers by which policies reach the API server; none where Cilium's entity is enough. */
function apiServerPeers(named: Peer, cilium: boolean): Peer[] {
  if (named.namespace !== undefined || named.cidrs !== undefined) return [named];
  return cilium ? [] : [{ cidrs: [...EVERYWHERE] }];
}
