import { z } from "zod";
import { imagePullSecrets } from "../../components/manifests/imagePull";
import { scriptPod } from "../../components/manifests/jobs";
import {
  CA_DIRECTORY,
  POSTGRES_UID,
  preflightFiles,
  RECORDED_CLUSTERS,
} from "../../components/manifests/managedPostgresManifests";
import {
  caSecretName,
  DATABASES,
  loginName,
  loginSecretName,
  primaryHost,
} from "../../components/manifests/postgresClusterManifests";
import { POSTGRES_PORT, SSL_MODES } from "../../components/manifests/postgresConnection";
import { clusterNameOf } from "../../components/manifests/postgresGenerations";
import { CHART_SERVER } from "../../components/manifests/temporalNames";
import { workedNamespaces } from "../../components/manifests/temporalNames";
import { placementOf } from "../../settings/scheduling";
import type { PostgresClusterSettings, Settings } from "../../settings/settings";

/** Seconds after which the questions are not answered any more. */
const DEADLINE_SECONDS = 300;
/** After its end, should nobody have deleted it. */
const KEPT_SECONDS = 600;
/** Clients of Postgres beside the server: NetworkPolicies let the chart's schema jobs through by this component. */
const CLIENT_LABELS = { ...CHART_SERVER, "app.kubernetes.io/component": "database" };

const answers = z.object({
  schema: z.string(),
  visibilitySchema: z.string(),
  /** `shards name` of each Temporal cluster that the database records. */
  clusters: z.array(z.string()),
  namespaces: z.array(z.string()),
  open: z.number(),
  visibleOpen: z.number(),
  /** When a server last wrote that it lives: how far the data goes. */
  lastHeartbeat: z.string().nullable(),
});
/** What a generation of the database answered. */
export type DatabaseAnswers = z.output<typeof answers>;

type VerifiedSettings = Pick<Settings, "temporal" | "workers">;

const MAIN_QUESTION = [
  "SELECT json_build_object(",
  "'schema', (SELECT curr_version FROM schema_version),",
  `'clusters', (SELECT coalesce(json_agg(record), '[]') FROM (${RECORDED_CLUSTERS}) AS found(record)),`,
  "'namespaces', (SELECT coalesce(json_agg(name ORDER BY name), '[]') FROM namespaces),",
  "'open', (SELECT count(*) FROM current_executions WHERE state IN (1, 2)),",
  "'lastHeartbeat', (SELECT max(last_heartbeat) FROM cluster_membership))",
].join(" ");
const VISIBILITY_QUESTION = [
  "SELECT json_build_object(",
  "'visibilitySchema', (SELECT curr_version FROM schema_version),",
  "'visibleOpen', (SELECT count(*) FROM executions_visibility WHERE status = 1))",
].join(" ");

/** Asks both databases, and prints one line of JSON for each. It changes nothing. */
export const verificationScript = [
  `ask() { psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --dbname "$1" --command "$2"; }`,
  "export PGOPTIONS='-c default_transaction_read_only=on'",
  `ask ${DATABASES.default} "${MAIN_QUESTION}"`,
  `ask ${DATABASES.visibility} "${VISIBILITY_QUESTION}"`,
].join("\n");

/** A Job that asks the primary of a generation, with the login that Temporal has. */
export function verificationJob(
  settings: Settings,
  cluster: PostgresClusterSettings,
  generation: number,
  name: string,
) {
  const clusterName = clusterNameOf(cluster, generation);
  const namespace = settings.namespaces.temporal;
  const role = cluster.credentials.loginRole;
  const ca = { secretName: caSecretName(clusterName), key: "ca.crt" };
  const environment: Readonly<Record<string, string>> = {
    PGHOST: primaryHost(clusterName, namespace),
    PGPORT: String(POSTGRES_PORT),
    PGUSER: loginName(role),
    PGCONNECT_TIMEOUT: "10",
    PGSSLMODE: SSL_MODES.full,
    PGSSLROOTCERT: `${CA_DIRECTORY}/${ca.key}`,
    HOME: "/tmp",
  };
  const pod = scriptPod({
    name: "verification",
    image: cluster.image,
    user: POSTGRES_UID,
    script: verificationScript,
    serviceAccount: "default",
    placement: placementOf(settings, "jobs"),
    env: [
      ...Object.entries(environment).map(([key, value]) => ({ name: key, value })),
      {
        name: "PGPASSWORD",
        valueFrom: { secretKeyRef: { name: loginSecretName(cluster, role), key: "password" } },
      },
    ],
    ...preflightFiles(ca, undefined),
  });
  const pullSecrets = imagePullSecrets(settings);
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace, labels: CLIENT_LABELS },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: DEADLINE_SECONDS,
      ttlSecondsAfterFinished: KEPT_SECONDS,
      template: {
        metadata: { labels: CLIENT_LABELS },
        spec: { ...pod, ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets }) },
      },
    },
  };
}

/** What a Job printed; undefined if it is no answer. */
export function answersIn(log: string): DatabaseAnswers | undefined {
  const lines = log.split("\n").filter((line) => line.startsWith("{"));
  try {
    return answers.safeParse(Object.assign({}, ...lines.map((line): unknown => JSON.parse(line)))).data;
  } catch {
    return undefined;
  }
}

/** Why Temporal must not be moved to a generation; nothing where it may. */
export function verificationProblems(
  { clusters, namespaces, open }: DatabaseAnswers,
  settings: VerifiedSettings,
): string[] {
  const { temporal } = settings;
  if (temporal.mode !== "chart") return [];
  const { name } = temporal.cluster;
  const wanted = `${temporal.historyShards} ${name}`;
  return [
    ...(clusters.includes(wanted)
      ? []
      : [
          `the database is not that of Temporal cluster "${name}" with ${temporal.historyShards} history shards: it records ${clusters.length === 0 ? "none" : clusters.map((record) => `"${record}"`).join(", ")}`,
        ]),
    ...workedNamespaces(settings)
      .filter((namespace) => !namespaces.includes(namespace) && open > 0)
      .map(
        (namespace) =>
          `Temporal namespace ${namespace}, in which workers poll, is not in the database: the point is before its creation`,
      ),
  ];
}

/** For people: what is in a generation. */
export const describeAnswers = (found: DatabaseAnswers): string[] => [
  `data until ${found.lastHeartbeat ?? "an unknown moment: no server has written to it"}`,
  `schema ${found.schema}, of visibility ${found.visibilitySchema}`,
  `Temporal clusters (shards, name): ${found.clusters.join("; ") || "none"}`,
  `namespaces: ${found.namespaces.join(", ") || "none"}`,
  `open workflows: ${found.open}, of which lists find ${found.visibleOpen}`,
];
