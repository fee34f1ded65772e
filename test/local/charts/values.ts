import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";

export const chartSources = resolve(__dirname, "../../../local/charts/sources");

export type ChartName = "cloudnative-pg" | "temporal";

const schemaFile = z.record(z.string(), z.unknown());

/** The schema that Helm checks a chart's values with. */
const valuesSchema = (chart: ChartName): z.ZodType =>
  z.fromJSONSchema(
    schemaFile.parse(JSON.parse(readFileSync(join(chartSources, chart, "values.schema.json"), "utf8"))),
  );

const schemas = { "cloudnative-pg": valuesSchema("cloudnative-pg"), temporal: valuesSchema("temporal") };

/** What Helm would say about values: one sentence for each problem, with the path. */
export function valuesProblems(chart: ChartName, values: unknown): string[] {
  const { error } = schemas[chart].safeParse(values);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);
}

const resources = { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "256Mi" } };
const securityContext = { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } };
const containerSecurityContext = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};
const image = (name: string, tag: string) => ({ repository: `registry.example/${name}`, tag });
const volumes = {
  additionalVolumes: [{ name: "ca", secret: { secretName: "temporal-pg-ca" } }],
  additionalVolumeMounts: [{ name: "ca", mountPath: "/etc/temporal/ca", readOnly: true }],
};
const placement = {
  nodeSelector: { pool: "temporal" },
  affinity: { nodeAffinity: {} },
  tolerations: [{ key: "spot", operator: "Exists" }],
};
const role = {
  ...placement,
  replicaCount: 2,
  resources,
  containerSecurityContext,
  podDisruptionBudget: { maxUnavailable: 1 },
};
const spread = [
  { maxSkew: 1, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "ScheduleAnyway" },
] as const;
const store = (databaseName: string) => ({
  sql: {
    createDatabase: false,
    manageSchema: true,
    pluginName: "postgres12_pgx",
    driverName: "postgres12_pgx",
    databaseName,
    connectAddr: "temporal-pg-rw.temporal.svc:5432",
    connectProtocol: "tcp",
    user: "temporal",
    existingSecret: "temporal-pg-owner",
    secretKey: "password",
    maxConns: 20,
    maxIdleConns: 20,
    maxConnLifetime: "1h",
    connectAttributes: { application_name: "temporal" },
    tls: {
      enabled: true,
      enableHostVerification: true,
      caFile: "/etc/temporal/ca/ca.crt",
      certFile: "/etc/temporal/client/tls.crt",
      keyFile: "/etc/temporal/client/tls.key",
      serverName: "temporal-pg-rw.temporal.svc",
    },
  },
});

/** Values with everything that the charts take. */
export const sampleValues = {
  "cloudnative-pg": {
    replicaCount: 2,
    image: image("cloudnative-pg", "1.30.0"),
    crds: { create: true },
    resources,
    imagePullSecrets: [{ name: "registry-login" }],
    topologySpreadConstraints: spread,
    priorityClassName: "important",
    ...placement,
  },
  temporal: {
    serviceAccount: { create: false, name: "temporal-server" },
    imagePullSecrets: [{ name: "registry-login" }],
    shims: { dockerize: false, elasticsearchTool: false },
    schema: {
      useHelmHooks: true,
      activeDeadlineSeconds: 300,
      backoffLimit: 10,
      resources,
      securityContext,
      containerSecurityContext,
    },
    admintools: {
      image: image("admin-tools", "1.31.2"),
      resources,
      securityContext,
      containerSecurityContext,
      ...placement,
      ...volumes,
    },
    web: {
      ...placement,
      enabled: true,
      image: image("ui", "2.52.0"),
      replicaCount: 2,
      resources,
      securityContext,
      containerSecurityContext,
      podDisruptionBudget: { maxUnavailable: 1 },
      additionalEnv: [{ name: "TEMPORAL_CODEC_ENDPOINT", value: "https://codec.example.com" }],
      additionalEnvSecretName: "temporal-ui",
      ingress: {
        enabled: true,
        className: "nginx",
        annotations: { "example.com/a": "b" },
        hosts: ["temporal.example.com/"],
        tls: [{ hosts: ["temporal.example.com"], secretName: "temporal-ui-tls" }],
      },
    },
    server: {
      image: image("server", "1.31.2"),
      versionCheckDisabled: true,
      securityContext,
      terminationGracePeriodSeconds: 60,
      podAnnotations: { "temporal-stack/password-checksum": "0" },
      ...volumes,
      config: {
        logLevel: "info",
        logFormat: "json",
        clusterMetadata: {
          enableGlobalNamespace: false,
          failoverVersionIncrement: 10,
          masterClusterName: "active",
          currentClusterName: "active",
          clusterInformation: {
            active: {
              enabled: true,
              initialFailoverVersion: 1,
              rpcName: "temporal-frontend",
              rpcAddress: "127.0.0.1:7233",
              httpAddress: "127.0.0.1:7243",
            },
          },
        },
        persistence: {
          defaultStore: "default",
          visibilityStore: "visibility",
          numHistoryShards: 512,
          datastores: { default: store("temporal"), visibility: store("temporal_visibility") },
        },
        namespaces: { create: false },
      },
      dynamicConfig: { "frontend.shutdownDrainDuration": [{ value: "10s", constraints: {} }] },
      frontend: role,
      history: role,
      matching: role,
      worker: {
        ...role,
        readinessProbe: { tcpSocket: { port: "membership" } },
        topologySpreadConstraints: spread,
      },
    },
  },
} as const satisfies Record<ChartName, unknown>;
