import { type PostgresClusterSettings, type Settings } from "../../settings/settings";
import { type Peer, type PeerNetwork, portOf, portOfUrl } from "../../settings/addresses";
import { storePort } from "../../settings/backups";
import { EVERYWHERE } from "../../settings/networkPresets";
import { SERVER_ROLES } from "../../settings/temporal";
import { BARMAN_PLUGIN_LABELS, BARMAN_PLUGIN_PORT } from "./barmanPluginManifests";
import { CERT_MANAGER_WEBHOOK_PORT, certManagerLabels } from "./certManagerManifests";
import { CODEC_SERVER, CODEC_SERVER_PORT } from "./codecServerManifests";
import { COMPONENT, groupLabels, type Labels, selectorLabels } from "./labels";
import { PREFLIGHT } from "./managedPostgresManifests";
import { POSTGRES_PORT } from "./postgresConnection";
import {
  nameInGeneration,
  type PostgresGeneration,
  postgresGenerations,
  servingCluster,
} from "./postgresGenerations";
import { NAMESPACE_RECONCILER } from "./temporalNamespacesManifests";
import {
  CHART_SERVER,
  DEV_SERVER_UI_PORT,
  FRONTEND,
  FRONTEND_HTTP_PORT,
  FRONTEND_PORT,
  HISTORY_PORT,
  MATCHING_PORT,
  MEMBERSHIP_PORTS,
  SERVER_METRICS_PORT,
  UI_SERVICE_PORT,
} from "./temporalNames";
import { METRICS_PORT, workerIdentity } from "./workerManifests";

/** Pods of one namespace; no labels means all of them. */
export interface Pods {
  readonly kind: "pods";
  readonly namespace: string;
  readonly labels: Labels;
  /** Only pods that are one of these components. */
  readonly components?: readonly string[];
}

/** Addresses outside the cluster, or inside it where no label selects them. */
export interface Addresses {
  readonly kind: "addresses";
  readonly cidrs: readonly string[];
}

/** What Cilium knows by name and matches by no address range (`toEntities`, `fromEntities`). */
export interface Entities {
  readonly kind: "entities";
  readonly names: readonly ("host" | "kube-apiserver" | "remote-node")[];
}

/** One end of a connection. */
export type Party = Pods | Addresses | Entities;

/** A port as pods see it, behind every Service. */
export interface FlowPort {
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
}

/** One allowed connection: who opens it, to whom, on which ports, what for. */
export interface Flow {
  /** Names the policies that let it through; flows of one name share them, and one of their two ends. */
  readonly name: string;
  readonly from: Party;
  readonly to: Party;
  readonly ports: readonly FlowPort[];
  readonly why: string;
  /** Label of pods in other stacks' namespaces that the source serves, too: those stacks let it in by themselves. */
  readonly otherStacks?: string;
}

type FlowSettings = Pick<
  Settings,
  | "clients"
  | "temporal"
  | "namespaces"
  | "networkAccess"
  | "payloadEncryption"
  | "postgres"
  | "certManager"
  | "monitoring"
  | "tracing"
  | "workers"
>;

/** Status endpoint of the instance manager beside each Postgres instance. */
const INSTANCE_STATUS_PORT = 8000;
const INSTANCE_METRICS_PORT = 9187;
const OPERATOR_WEBHOOK_PORT = 9443;
const OPERATOR_METRICS_PORT = 8080;
/** Label of everything that belongs to a Cluster, with its name. */
const CLUSTER_LABEL = "cnpg.io/cluster";
const OPERATOR_LABELS: Labels = { "app.kubernetes.io/name": "cloudnative-pg" };

/** Namespaces that the stack makes and closes. */
export function ownNamespaces({
  temporal,
  namespaces,
  postgres,
  certManager,
}: Pick<Settings, "temporal" | "namespaces" | "postgres" | "certManager">): string[] {
  return [
    ...(temporal.mode === "external" ? [] : [namespaces.temporal]),
    ...(postgres?.mode === "cluster" && postgres.operator.install ? [postgres.operator.namespace] : []),
    ...(certManager.install ? [certManager.namespace] : []),
    namespaces.workers,
  ];
}

/**
 * Every connection that the stack needs, and no other: NetworkPolicies and docs/network.md are made from
 * this table, and the tests try each flow and each other pair. The kubelet's probes need none: a node
 * always reaches its pods.
 */
export function stackFlows(settings: FlowSettings): Flow[] {
  return [
    ...ownNamespaces(settings).flatMap((namespace) => nameFlows(namespace, settings)),
    ...connectionFlows(settings),
  ];
}

/** Every connection of the stack but those to the DNS servers, which are the same for every pod. */
export function connectionFlows(settings: FlowSettings): Flow[] {
  const { namespaces, networkAccess, tracing } = settings;
  const workers = pods(namespaces.workers, { "app.kubernetes.io/name": "temporal-worker" });
  return [
    { name: "workers-frontend", from: workers, ...frontend(settings), why: "tasks of the workers" },
    ...(settings.temporal.mode === "chart" ? serverFlows(settings) : []),
    ...uiLoginFlows(settings),
    ...postgresFlows(settings),
    ...certManagerFlows(settings),
    ...(tracing === undefined
      ? []
      : [
          {
            name: "workers-traces",
            from: workers,
            ...serverAt(tracing.network, portOfUrl(tracing.endpoint)),
            why: "spans of the workers",
          },
        ]),
    ...workerEgressFlows(settings),
    ...clientFlows(settings),
    ...networkAccess.frontendFrom.map((peer, index) => ({
      name: `access-frontend-${index}`,
      from: partyOf(peer),
      ...frontend(settings),
      why: "networkAccess.frontendFrom",
    })),
    ...networkAccess.uiFrom.map((peer, index) => ({
      name: `access-ui-${index}`,
      from: partyOf(peer),
      ...ui(settings),
      why: "networkAccess.uiFrom",
    })),
    ...codecServerFlows(settings),
    ...scrapers(settings).flatMap(({ peer, id, why }) =>
      metricsOf(settings, workers).map(({ what, to, port }) => ({
        name: what === "workers" ? `access-metrics-${id}` : `access-metrics-${what}-${id}`,
        from: partyOf(peer),
        to,
        ports: [tcp(port)],
        why,
      })),
    ),
  ];
}

/** From applications in namespaces of their own, whose policies let them out. */
function clientFlows(settings: FlowSettings): Flow[] {
  if (settings.temporal.mode === "external") return [];
  return settings.clients.map(({ namespace, podLabels = {} }) => ({
    name: `client-${namespace}-frontend`,
    from: pods(namespace, podLabels),
    ...frontend(settings),
    why: "clients",
  }));
}

/** What each group of workers reaches beyond Temporal. */
function workerEgressFlows({ namespaces, workers }: FlowSettings): Flow[] {
  return workers.flatMap(({ name, egress }) =>
    egress.map(({ ports, protocol, why, ...way }, index) => ({
      name: `worker-${name}-egress-${index}`,
      from: pods(namespaces.workers, groupLabels(workerIdentity(name))),
      to: partyOf(way),
      ports: ports.map((port) => ({ port, protocol })),
      why: why ?? `workers[].egress of ${name}`,
    })),
  );
}

/** From every pod of a namespace to the DNS servers. */
export function nameFlows(namespace: string, { networkAccess }: Pick<Settings, "networkAccess">): Flow[] {
  const { cilium, dns } = networkAccess;
  return dns.flatMap((server) => {
    // A cache on the node has an address of the node.
    const onNode = cilium && server.cidrs !== undefined ? [entities("host")] : [];
    return [partyOf(server), ...onNode].map((to) => ({
      name: `${namespace}-dns`,
      from: pods(namespace, {}),
      to,
      ports: server.ports.flatMap((port) => [{ port, protocol: "UDP" }, tcp(port)] as const),
      why: "name resolution",
    }));
  });
}

/** Between the roles of the official chart, and from its tools. */
function serverFlows(settings: FlowSettings): Flow[] {
  const roles = serverPods(settings, SERVER_ROLES);
  const role = (name: string) => serverPods(settings, [name]);
  return [
    {
      name: "server-membership",
      from: roles,
      to: roles,
      ports: MEMBERSHIP_PORTS.map(tcp),
      why: "ring of the server's pods; without it, they start and never see each other",
    },
    {
      name: "server-frontend",
      from: roles,
      to: role("frontend"),
      ports: [tcp(FRONTEND_PORT), tcp(FRONTEND_HTTP_PORT)],
      why: "system workflows and callbacks",
    },
    {
      name: "server-history",
      from: roles,
      to: role("history"),
      ports: [tcp(HISTORY_PORT)],
      why: "calls between server roles",
    },
    {
      name: "server-matching",
      from: roles,
      to: role("matching"),
      ports: [tcp(MATCHING_PORT)],
      why: "calls between server roles",
    },
    {
      name: "tools-frontend",
      from: serverPods(settings, ["web", "admintools"]),
      to: role("frontend"),
      ports: [tcp(FRONTEND_PORT)],
      why: "UI and admin tools",
    },
    {
      name: "namespaces-frontend",
      from: pods(settings.namespaces.temporal, selectorLabels(NAMESPACE_RECONCILER)),
      to: role("frontend"),
      ports: [tcp(FRONTEND_PORT)],
      why: "Temporal namespaces and search attributes",
    },
  ];
}

function uiLoginFlows(settings: FlowSettings): Flow[] {
  const { temporal } = settings;
  if (temporal.mode !== "chart" || !temporal.ui.enabled || temporal.ui.login === undefined) return [];
  const { network, providerUrl } = temporal.ui.login;
  return [
    {
      name: "ui-login",
      from: serverPods(settings, ["web"]),
      ...serverAt(network, portOfUrl(providerUrl)),
      why: "identity provider of the UI's login",
    },
  ];
}

function postgresFlows(settings: FlowSettings): Flow[] {
  const { postgres, namespaces } = settings;
  if (postgres === undefined) return [];
  // The chart's jobs carry the component `database`, though they are its clients.
  const clients = serverPods(settings, [...SERVER_ROLES, "database"]);
  if (postgres.mode === "managed") {
    const service = serverAt(postgres.network ?? { cidrs: postgres.cidrs ?? [...EVERYWHERE] }, postgres.port);
    return [
      { name: "server-postgres", from: clients, ...service, why: "SQL of the server and its schema jobs" },
      {
        name: "preflight-postgres",
        from: pods(namespaces.temporal, selectorLabels(PREFLIGHT)),
        ...service,
        why: "proof of the login before Temporal is touched",
      },
    ];
  }
  const operator = pods(postgres.operator.namespace, OPERATOR_LABELS);
  return [
    ...postgresGenerations(postgres).flatMap((generation) =>
      generationFlows(settings, postgres, generation, clients),
    ),
    ...(postgres.backup === undefined
      ? []
      : [
          {
            name: "operator-backup-plugin",
            from: operator,
            to: pods(postgres.operator.namespace, BARMAN_PLUGIN_LABELS),
            ports: [tcp(BARMAN_PLUGIN_PORT)],
            why: "the operator asks the plugin how to archive, back up and restore",
          },
        ]),
    ...(postgres.operator.install ? operatorFlows(settings, postgres) : []),
  ];
}

/** Of the Cluster of one generation. */
function generationFlows(
  settings: FlowSettings,
  { operator, backup }: PostgresClusterSettings,
  { number, clusterName }: PostgresGeneration,
  clients: Pods,
): Flow[] {
  const instances = instancePods(settings, clusterName);
  const named = (name: string) => nameInGeneration(name, number);
  return [
    {
      name: named("server-postgres"),
      from: clients,
      to: instances,
      ports: [tcp(POSTGRES_PORT)],
      why: "SQL of the server and its schema jobs",
    },
    {
      name: named("postgres-replication"),
      from: instances,
      to: instances,
      ports: [tcp(POSTGRES_PORT), tcp(INSTANCE_STATUS_PORT)],
      why: "replication and status, also of the jobs that make instances",
    },
    ...apiServer(settings).map((api) => ({
      name: named("postgres-api"),
      from: instances,
      ...api,
      why: "each instance manager reads its Cluster, its sidecar the store's credentials",
    })),
    ...(backup === undefined
      ? []
      : [
          {
            name: named("postgres-store"),
            from: instances,
            ...serverAt(backup.network ?? { cidrs: [...EVERYWHERE] }, storePort(backup.store)),
            why: "archive of the log, backups and restores",
          },
        ]),
    {
      name: named("operator-postgres"),
      from: pods(operator.namespace, OPERATOR_LABELS),
      to: instances,
      ports: [tcp(POSTGRES_PORT), tcp(INSTANCE_STATUS_PORT)],
      why: "the operator's care for the instances, also those of other stacks",
      otherStacks: CLUSTER_LABEL,
    },
  ];
}

function operatorFlows(settings: FlowSettings, { operator }: PostgresClusterSettings): Flow[] {
  return [
    ...apiServer(settings).map((api) => ({
      name: "operator-api",
      from: pods(operator.namespace, {}),
      ...api,
      why: "the operator, and the job that waits for its webhook",
    })),
    ...webhookCallers(settings).map((from) => ({
      name: "operator-webhook",
      from,
      to: pods(operator.namespace, OPERATOR_LABELS),
      ports: [tcp(OPERATOR_WEBHOOK_PORT)],
      why: "admission of Postgres resources",
    })),
  ];
}

function certManagerFlows(settings: FlowSettings): Flow[] {
  const { certManager } = settings;
  if (!certManager.install) return [];
  return [
    ...apiServer(settings).map((api) => ({
      name: "cert-manager-api",
      from: pods(certManager.namespace, {}),
      ...api,
      why: "cert-manager, and the job that waits for its webhook",
    })),
    ...webhookCallers(settings).map((from) => ({
      name: "cert-manager-webhook",
      from,
      to: pods(certManager.namespace, certManagerLabels("webhook")),
      ports: [tcp(CERT_MANAGER_WEBHOOK_PORT)],
      why: "admission of certificates and issuers",
    })),
  ];
}

/** Who may scrape, each with what tells its policies from those of others. */
function scrapers({ monitoring, networkAccess }: FlowSettings): { peer: Peer; id: string; why: string }[] {
  return [
    ...networkAccess.metricsFrom.map((peer, index) => ({
      peer,
      id: String(index),
      why: "networkAccess.metricsFrom",
    })),
    ...(monitoring.mode === "resources"
      ? [{ peer: monitoring.prometheus, id: "prometheus", why: "monitoring.prometheus" }]
      : []),
  ];
}

function metricsOf(settings: FlowSettings, workers: Pods): { what: string; to: Pods; port: number }[] {
  const { temporal, postgres } = settings;
  return [
    { what: "workers", to: workers, port: METRICS_PORT },
    ...settings.workers
      .filter(({ ports }) => ports.metrics !== METRICS_PORT)
      .map(({ name, ports }) => ({
        what: `worker-${name}`,
        to: pods(settings.namespaces.workers, selectorLabels(workerIdentity(name))),
        port: ports.metrics,
      })),
    ...(temporal.mode === "chart"
      ? [{ what: "server", to: serverPods(settings, SERVER_ROLES), port: SERVER_METRICS_PORT }]
      : []),
    ...(postgres?.mode === "cluster"
      ? [
          {
            what: "postgres",
            to: instancePods(settings, servingCluster(postgres)),
            port: INSTANCE_METRICS_PORT,
          },
        ]
      : []),
    ...(postgres?.mode === "cluster" && postgres.operator.install
      ? [
          {
            what: "operator",
            to: pods(postgres.operator.namespace, OPERATOR_LABELS),
            port: OPERATOR_METRICS_PORT,
          },
        ]
      : []),
  ];
}

function codecServerFlows({ namespaces, networkAccess, payloadEncryption }: FlowSettings): Flow[] {
  const auth = payloadEncryption.codecServer?.auth;
  const codecServer = pods(namespaces.workers, selectorLabels(CODEC_SERVER));
  return [
    ...(auth?.mode === "jwt"
      ? [
          {
            name: "codec-server-keys",
            from: codecServer,
            ...serverAt(auth.network, portOfUrl(auth.jwksUrl)),
            why: "public keys of the identity provider",
          },
        ]
      : []),
    ...networkAccess.codecFrom.map((peer, index) => ({
      name: `access-codec-${index}`,
      from: partyOf(peer),
      to: codecServer,
      ports: [tcp(CODEC_SERVER_PORT)],
      why: "networkAccess.codecFrom",
    })),
  ];
}

function frontend({
  temporal,
  namespaces,
}: Pick<Settings, "temporal" | "namespaces">): Pick<Flow, "to" | "ports"> {
  if (temporal.mode !== "external") {
    return { to: pods(namespaces.temporal, selectorLabels(FRONTEND)), ports: [tcp(FRONTEND_PORT)] };
  }
  const { proxy } = temporal;
  return proxy === undefined
    ? serverAt(temporal.network, portOf(temporal.address))
    : serverAt(proxy.network, portOf(proxy.address));
}

/** A server that this stack does not run. */
function serverAt(network: PeerNetwork, defaultPort: number): Pick<Flow, "to" | "ports"> {
  return { to: partyOf(network), ports: [tcp(network.podPort ?? defaultPort)] };
}

/** The pods or addresses that a setting names. */
export function partyOf({ namespace, podLabels, cidrs }: Peer): Pods | Addresses {
  return namespace === undefined ? addresses(cidrs ?? []) : pods(namespace, podLabels ?? {});
}

function ui(settings: FlowSettings): Pick<Flow, "to" | "ports"> {
  return settings.temporal.mode === "chart"
    ? { to: serverPods(settings, ["web"]), ports: [tcp(UI_SERVICE_PORT)] }
    : {
        to: pods(settings.namespaces.temporal, selectorLabels(FRONTEND)),
        ports: [tcp(DEV_SERVER_UI_PORT)],
      };
}

function apiServer({ networkAccess }: Pick<Settings, "networkAccess">): Pick<Flow, "to" | "ports">[] {
  const { cilium } = networkAccess;
  const { peers, ports } = networkAccess.apiServer;
  const parties = [...peers.map(partyOf), ...(cilium ? [entities("kube-apiserver")] : [])];
  return parties.map((to) => ({ to, ports: ports.map(tcp) }));
}

function webhookCallers({ networkAccess }: Pick<Settings, "networkAccess">): Party[] {
  const { cilium, webhooksFrom } = networkAccess;
  return [
    ...webhooksFrom.map(partyOf),
    // Through a tunnel the API server's call comes from its node (cilium/cilium#18049).
    ...(cilium ? [entities("kube-apiserver", "host", "remote-node")] : []),
  ];
}

function serverPods({ namespaces }: Pick<Settings, "namespaces">, components: readonly string[]): Pods {
  return { ...pods(namespaces.temporal, CHART_SERVER), components };
}

/** Instances, and the jobs that make them: those have no other label in common. */
function instancePods({ namespaces }: Pick<Settings, "namespaces">, clusterName: string): Pods {
  return pods(namespaces.temporal, { [CLUSTER_LABEL]: clusterName });
}

function pods(namespace: string, labels: Labels): Pods {
  return { kind: "pods", namespace, labels };
}

function addresses(cidrs: readonly string[]): Addresses {
  return { kind: "addresses", cidrs };
}

function entities(...names: Entities["names"]): Entities {
  return { kind: "entities", names };
}

function tcp(port: number): FlowPort {
  return { port, protocol: "TCP" };
}

/** Whether a pod is one of those that are meant. */
export function selects({ namespace, labels, components }: Pods, pod: { namespace: string; labels: Labels }) {
  return (
    pod.namespace === namespace &&
    Object.entries(labels).every(([key, value]) => pod.labels[key] === value) &&
    (components === undefined || components.includes(pod.labels[COMPONENT] ?? ""))
  );
}

/** Flows that have something in common. */
export type Flows = readonly [Flow, ...Flow[]];

/** Flows with an equal key, in the order of the table. */
export function groupedBy(flows: readonly Flow[], keyOf: (flow: Flow) => unknown): Flows[] {
  const groups = new Map<string, [Flow, ...Flow[]]>();
  for (const flow of flows) {
    const key = JSON.stringify(keyOf(flow));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [flow]);
    else group.push(flow);
  }
  return [...groups.values()];
}
