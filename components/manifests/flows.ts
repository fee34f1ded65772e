import { type NetworkSettings, type Settings } from "../settings";
import { portOf, portOfUrl } from "../settings/fields";
import { type Labels, selectorLabels } from "./labels";
import { DEV_SERVER_UI_PORT, FRONTEND, FRONTEND_PORT } from "./temporalServer";
import { METRICS_PORT } from "./worker";

/** Pods of one namespace; no labels means all of them. */
export interface Pods {
  readonly kind: "pods";
  readonly namespace: string;
  readonly labels: Labels;
}

/** Addresses outside the cluster. */
export interface Addresses {
  readonly kind: "addresses";
  readonly cidrs: readonly string[];
}

/** A port as pods see it, behind every Service. */
export interface FlowPort {
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
}

/** One allowed connection: who opens it, to whom, on which ports. */
export interface Flow {
  /** Unique; names the policies that let it through. */
  readonly name: string;
  readonly from: Pods;
  readonly to: Pods | Addresses;
  readonly ports: readonly FlowPort[];
}

const DNS_PORTS: readonly FlowPort[] = [
  { port: 53, protocol: "UDP" },
  { port: 53, protocol: "TCP" },
];

/** Namespaces that the stack makes and closes. */
export function ownNamespaces({ temporal, namespaces }: Pick<Settings, "temporal" | "namespaces">): string[] {
  return temporal.mode === "devServer" ? [namespaces.temporal, namespaces.workers] : [namespaces.workers];
}

/**
 * Every connection that the stack needs, and no other: NetworkPolicies are made from this table, and the
 * tests try each flow and each other pair. The kubelet's probes need none: a node always reaches its pods.
 */
export function stackFlows(
  settings: Pick<Settings, "temporal" | "namespaces" | "tracing" | "networkAccess">,
): Flow[] {
  const { namespaces, networkAccess, tracing } = settings;
  const workers = pods(namespaces.workers, { "app.kubernetes.io/name": "temporal-worker" });
  const clusterDns = pods("kube-system", { "k8s-app": "kube-dns" });
  return [
    ...ownNamespaces(settings).map((namespace) => ({
      name: `${namespace}-dns`,
      from: pods(namespace, {}),
      to: clusterDns,
      ports: DNS_PORTS,
    })),
    { name: "workers-frontend", from: workers, ...frontend(settings) },
    ...(tracing === undefined
      ? []
      : [
          { name: "workers-traces", from: workers, ...outside(tracing.network, portOfUrl(tracing.endpoint)) },
        ]),
    ...networkAccess.frontendFrom.map((peer, index) => ({
      name: `access-frontend-${String(index)}`,
      from: pods(peer.namespace, peer.podLabels ?? {}),
      ...frontend(settings),
    })),
    ...networkAccess.uiFrom.map((peer, index) => ({
      name: `access-ui-${String(index)}`,
      from: pods(peer.namespace, peer.podLabels ?? {}),
      to: pods(namespaces.temporal, selectorLabels(FRONTEND)),
      ports: [tcp(DEV_SERVER_UI_PORT)],
    })),
    ...networkAccess.metricsFrom.map((peer, index) => ({
      name: `access-metrics-${String(index)}`,
      from: pods(peer.namespace, peer.podLabels ?? {}),
      to: workers,
      ports: [tcp(METRICS_PORT)],
    })),
  ];
}

function frontend({
  temporal,
  namespaces,
}: Pick<Settings, "temporal" | "namespaces">): Pick<Flow, "to" | "ports"> {
  if (temporal.mode === "devServer") {
    return { to: pods(namespaces.temporal, selectorLabels(FRONTEND)), ports: [tcp(FRONTEND_PORT)] };
  }
  return outside(temporal.network, portOf(temporal.address));
}

/** The way to something that the stack does not run. */
function outside(
  { namespace, podLabels, cidrs, podPort }: NetworkSettings,
  port: number,
): Pick<Flow, "to" | "ports"> {
  return {
    to:
      namespace === undefined ? { kind: "addresses", cidrs: cidrs ?? [] } : pods(namespace, podLabels ?? {}),
    ports: [tcp(podPort ?? port)],
  };
}

function pods(namespace: string, labels: Labels): Pods {
  return { kind: "pods", namespace, labels };
}

function tcp(port: number): FlowPort {
  return { port, protocol: "TCP" };
}
