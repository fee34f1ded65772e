import type { MonitoringResourcesSettings } from "../../settings/monitoring";
import type { Settings, WorkerSettings } from "../../settings/settings";
import { type Labels, selectorLabels, stackLabels } from "./labels";
import { OPERATOR_LABELS } from "./postgresOperatorManifests";
import { servingCluster } from "./postgresGenerations";
import { CHART_SERVER } from "./temporalNames";
import { workerIdentity } from "./workerManifests";

/** API group and version of the Prometheus operator's resource types. */
export const MONITORING_GROUP = "monitoring.coreos.com";
export const MONITORING_VERSION = "v1";
/** Its resource types that the stack makes objects of. */
export const MONITORING_RESOURCES = ["podmonitors", "prometheusrules"] as const;

/** Label `job` of the series of each kind of pod: queries find them by it. */
export const JOBS = {
  server: "temporal-server",
  workers: "temporal-workers",
  postgres: "temporal-postgres",
  postgresOperator: "temporal-postgres-operator",
} as const;

/** Name of the container port with the metrics, in every pod that has some. */
const METRICS_PORT_NAME = "metrics";

/** One field of a PodMonitor that changes labels; of a target, or of its samples. */
interface Relabeling {
  readonly sourceLabels?: readonly string[];
  readonly regex?: string;
  readonly targetLabel?: string;
  readonly replacement?: string;
  readonly action?: "drop" | "labeldrop";
}

/** A PodMonitor, and the name by which the program knows it. */
export interface PodMonitor {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly spec: object;
}

type MonitoredSettings = Pick<
  Settings,
  "stack" | "labels" | "namespaces" | "temporal" | "postgres" | "workers" | "monitoring"
>;

/**
 * The PodMonitors of a stack: one for all server roles, one for each worker group, one each for Postgres and its
 * operator, as far as the stack runs them. The codec server and the dev server publish no metrics.
 */
export function podMonitors(settings: MonitoredSettings): PodMonitor[] {
  const { monitoring, namespaces, postgres } = settings;
  if (monitoring.mode === "none") return [];
  const labels = monitoringLabels(settings, monitoring);
  const monitor = (name: string, namespace: string, matchLabels: Labels, endpoint: Endpoint): PodMonitor => ({
    name,
    namespace,
    labels,
    spec: {
      selector: { matchLabels },
      podMetricsEndpoints: [endpointFields(settings, monitoring, endpoint)],
    },
  });
  return [
    ...(settings.temporal.mode === "chart"
      ? [
          monitor("server", namespaces.temporal, CHART_SERVER, {
            job: JOBS.server,
            targets: [fromPodLabel("app.kubernetes.io/component", "role")],
            samples: [...TEMPORAL_NAMESPACE, ...WITHOUT_COSTLY_SERVER_SERIES],
          }),
        ]
      : []),
    ...monitoredGroups(settings).map(({ name }) =>
      monitor(`worker-${name}`, namespaces.workers, selectorLabels(workerIdentity(name)), {
        job: JOBS.workers,
        targets: [
          { targetLabel: "worker_group", replacement: name },
          // Tells the pods before and after a rollout apart, also of images that publish no build id.
          fromPodLabel("pod-template-hash", "revision"),
        ],
        samples: TEMPORAL_NAMESPACE,
      }),
    ),
    ...(postgres?.mode === "cluster"
      ? [
          monitor(
            "postgres",
            namespaces.temporal,
            { "cnpg.io/cluster": servingCluster(postgres), "cnpg.io/podRole": "instance" },
            { job: JOBS.postgres, targets: [], samples: [] },
          ),
        ]
      : []),
    ...(postgres?.mode === "cluster" && postgres.operator.install
      ? [
          monitor("postgres-operator", postgres.operator.namespace, OPERATOR_LABELS, {
            job: JOBS.postgresOperator,
            targets: [],
            samples: [],
          }),
        ]
      : []),
  ];
}

/** The worker groups whose programs publish metrics. */
export function monitoredGroups({
  workers,
  monitoring,
}: Pick<Settings, "workers" | "monitoring">): WorkerSettings[] {
  return monitoring.mode === "none"
    ? []
    : workers.filter(({ name }) => !monitoring.groupsWithoutMetrics.includes(name));
}

/** Labels of an object that Prometheus is to select. */
export function monitoringLabels(
  settings: Pick<Settings, "stack" | "labels">,
  { labels }: Pick<MonitoringResourcesSettings, "labels">,
): Labels {
  return { ...labels, ...stackLabels(settings) };
}

interface Endpoint {
  readonly job: string;
  readonly targets: readonly Relabeling[];
  readonly samples: readonly Relabeling[];
}

function endpointFields(
  { stack }: Pick<Settings, "stack">,
  { intervalSeconds }: MonitoringResourcesSettings,
  { job, targets, samples }: Endpoint,
) {
  return {
    port: METRICS_PORT_NAME,
    interval: `${intervalSeconds}s`,
    relabelings: [
      // By default it is the object's name, which Pulumi makes up.
      { targetLabel: "job", replacement: job },
      { targetLabel: "stack", replacement: stack },
      ...targets,
    ],
    ...(samples.length === 0 ? {} : { metricRelabelings: samples }),
  };
}

/** Prometheus' own spelling of a label of the pod. */
function fromPodLabel(label: string, targetLabel: string): Relabeling {
  return { sourceLabels: [`__meta_kubernetes_pod_label_${label.replace(/\W/g, "_")}`], targetLabel };
}

/** The target's label `namespace` is of Kubernetes, so that Prometheus renames that of Temporal's series. */
const TEMPORAL_NAMESPACE: readonly Relabeling[] = [
  { sourceLabels: ["exported_namespace"], regex: "(.+)", targetLabel: "temporal_namespace" },
  { regex: "exported_namespace|otel_scope_.*", action: "labeldrop" },
];

/** What the server publishes of its own system workers, and histograms that no alert and no panel reads. */
const WITHOUT_COSTLY_SERVER_SERIES: readonly Relabeling[] = [
  {
    sourceLabels: ["__name__"],
    regex:
      "temporal_.*|(service_latency_(no)?userlatency|poll_latency|client_redirection_latency|task_dispatch_latency|task_latency_(load|schedule|processing))_bucket",
    action: "drop",
  },
];
