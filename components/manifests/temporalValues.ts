import { splitImage } from "../../settings/imageVersion";
import type { ChartServerSettings } from "../../settings/settings";
import { ALIGNMENT_SECONDS, SERVER_ROLES, type ServerRole } from "../../settings/temporal";
import { type Part, type Placement, takesPriorities } from "../../settings/scheduling";
import { COMPONENT } from "./labels";
import { placementFields } from "./podPlacement";
import { restrictedContainer, restrictedPod } from "./podSecurity";
import { DATABASES } from "./postgresClusterManifests";
import {
  authoritiesVolume,
  CERTIFICATE_FILE_MODE,
  certificateRevision,
  type ClientCertificate,
  type PostgresConnection,
  SSL_MODES,
} from "./postgresConnection";
import { containerResources } from "./resources";
import { spread } from "./spread";
import {
  CHART_SERVER,
  FRONTEND_HTTP_PORT,
  FRONTEND_PORT,
  FRONTEND_SERVICE,
  TEMPORAL_UID,
} from "./temporalNames";
import type { EnvironmentVariables } from "./temporalUi";

const CA_DIRECTORY = "/etc/temporal/postgres-ca";
const CA_VOLUME = "postgres-ca";
const CLIENT_CERTIFICATE_DIRECTORY = "/etc/temporal/postgres-client";
/** Retries of a schema job within its deadline. */
const SCHEMA_RETRIES = 10;
/** Resources of short-lived and idle pods, which have no settings of their own. */
export const TOOL_RESOURCES = { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "256Mi" } };

/** What the values refer to. */
export interface TemporalValuesReferences {
  readonly postgres: PostgresConnection;
  readonly serviceAccount: string;
  /** Secrets of the namespace with which images are pulled. */
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  /** Where the pods of each part run. */
  readonly placement?: (part: Part) => Placement;
  /** Environment of the UI, beside what the chart sets. */
  readonly uiEnvironment?: EnvironmentVariables;
}

/**
 * Values of the official chart, 1.6: every key exists there. Secrets are referred to by name, as Helm keeps
 * values in plain text.
 */
export function temporalValues(
  settings: ChartServerSettings,
  {
    postgres,
    serviceAccount,
    placement = () => ({}),
    imagePullSecrets = [],
    uiEnvironment = [],
  }: TemporalValuesReferences,
) {
  const pod = restrictedPod(TEMPORAL_UID);
  const container = restrictedContainer();
  const certificates = certificateVolumes(postgres);
  const { images, ui } = settings;
  return {
    serviceAccount: { create: false, name: serviceAccount },
    ...(imagePullSecrets.length === 0 ? {} : { imagePullSecrets }),
    // Helpers for servers older than 1.30.
    shims: { dockerize: false, elasticsearchTool: false },
    schema: {
      useHelmHooks: true,
      activeDeadlineSeconds: settings.schemaTimeoutSeconds,
      backoffLimit: SCHEMA_RETRIES,
      resources: TOOL_RESOURCES,
      securityContext: pod,
      containerSecurityContext: container,
    },
    admintools: {
      image: splitImage(images.adminTools),
      resources: TOOL_RESOURCES,
      securityContext: pod,
      containerSecurityContext: container,
      // The chart's schema job takes these, too.
      ...chartPlacement(settings, placement("jobs")),
      ...certificates,
    },
    web: {
      enabled: ui.enabled,
      image: splitImage(ui.image),
      replicaCount: ui.replicas,
      resources: containerResources(ui.resources),
      securityContext: pod,
      containerSecurityContext: container,
      topologySpreadConstraints: spread({ ...CHART_SERVER, [COMPONENT]: "web" }),
      ...chartPlacement(settings, placement("ui")),
      ...disruptionBudget(ui.replicas),
      ingress: webIngress(ui),
      ...(uiEnvironment.length === 0 ? {} : { additionalEnv: uiEnvironment }),
      ...(ui.envSecret === undefined ? {} : { additionalEnvSecretName: ui.envSecret }),
    },
    server: {
      image: splitImage(images.server),
      // Asks the internet for news at each start.
      versionCheckDisabled: true,
      securityContext: pod,
      terminationGracePeriodSeconds: settings.shutdown.terminationGracePeriodSeconds,
      // The chart rolls pods for its own ConfigMap only, never for a Secret.
      podAnnotations: {
        "temporal-stack/password-checksum": postgres.passwordChecksum,
        ...certificateRevision(postgres.clientCertificate),
      },
      ...certificates,
      config: {
        logLevel: settings.logLevel,
        logFormat: "json",
        clusterMetadata: clusterMetadata(settings),
        persistence: {
          // The chart finds the schema folders by these very names.
          defaultStore: "default",
          visibilityStore: "visibility",
          numHistoryShards: settings.historyShards,
          datastores: {
            default: { sql: store("default", settings, postgres) },
            visibility: { sql: store("visibility", settings, postgres) },
          },
        },
        // Namespaces are kept by a job of this program, which also changes those that exist.
        namespaces: { create: false },
      },
      dynamicConfig: dynamicConfig(settings),
      ...Object.fromEntries(SERVER_ROLES.map((role) => [role, roleValues(settings, role, placement(role))])),
    },
  };
}

function roleValues(settings: ChartServerSettings, role: ServerRole, placement: Placement) {
  const { replicas, resources } = settings.roles[role];
  return {
    replicaCount: replicas,
    resources: containerResources(resources),
    containerSecurityContext: restrictedContainer(),
    topologySpreadConstraints: spread({ ...CHART_SERVER, [COMPONENT]: role }),
    ...chartPlacement(settings, placement),
    ...disruptionBudget(replicas),
    // The chart has a probe for every role that answers calls. This one only joins the ring.
    ...(role === "worker" ? { readinessProbe: { tcpSocket: { port: "membership" } } } : {}),
  };
}

/** An older chart would leave a priority class out without a word; for servers and UI the settings refuse it. */
function chartPlacement({ chartVersion }: ChartServerSettings, placement: Placement) {
  const { priorityClassName, ...everywhere } = placementFields(placement);
  return takesPriorities(chartVersion) && priorityClassName !== undefined
    ? { ...everywhere, priorityClassName }
    : everywhere;
}

/** One pod at a time may be evicted; a single pod may always be, or nodes could not be drained. */
function disruptionBudget(replicas: number) {
  return replicas > 1 ? { podDisruptionBudget: { maxUnavailable: 1 } } : {};
}

/** The whole section, as the chart's own is left out when there is one. */
function clusterMetadata({ cluster }: ChartServerSettings) {
  return {
    enableGlobalNamespace: false,
    failoverVersionIncrement: cluster.failoverVersionIncrement,
    masterClusterName: cluster.name,
    currentClusterName: cluster.name,
    clusterInformation: {
      [cluster.name]: {
        enabled: true,
        initialFailoverVersion: cluster.initialFailoverVersion,
        rpcName: FRONTEND_SERVICE,
        rpcAddress: `127.0.0.1:${FRONTEND_PORT}`,
        httpAddress: `127.0.0.1:${FRONTEND_HTTP_PORT}`,
      },
    },
  };
}

function store(
  name: keyof typeof DATABASES,
  { databaseConnections }: ChartServerSettings,
  postgres: PostgresConnection,
) {
  const { host, port, databases, user, password, ca, verifyTls, clientCertificate } = postgres;
  // The chart knows two ways to verify; the third is an attribute that wins over them.
  const attributes = {
    ...postgres.connectAttributes,
    ...(verifyTls === "ca" ? { sslmode: SSL_MODES.ca } : {}),
  };
  return {
    createDatabase: false,
    manageSchema: true,
    pluginName: "postgres12_pgx",
    driverName: "postgres12_pgx",
    databaseName: databases[name],
    connectAddr: `${host}:${port}`,
    connectProtocol: "tcp",
    user,
    existingSecret: password.secretName,
    secretKey: password.key,
    maxConns: databaseConnections[name],
    maxIdleConns: databaseConnections[name],
    maxConnLifetime: "1h",
    ...(Object.keys(attributes).length === 0 ? {} : { connectAttributes: attributes }),
    tls: {
      enabled: true,
      enableHostVerification: verifyTls === "full",
      ...(ca === undefined ? {} : { caFile: `${CA_DIRECTORY}/${ca.key}` }),
      ...(clientCertificate === undefined
        ? {}
        : {
            certFile: `${CLIENT_CERTIFICATE_DIRECTORY}/${clientCertificate.certificateKey}`,
            keyFile: `${CLIENT_CERTIFICATE_DIRECTORY}/${clientCertificate.privateKeyKey}`,
          }),
      ...(verifyTls === "full" ? { serverName: host } : {}),
    },
  };
}

/** Mounted as a whole and without subPath, so that a renewed certificate arrives in running pods. */
function certificateVolumes({ ca, clientCertificate }: PostgresConnection) {
  const mounted = [
    ...(ca === undefined
      ? []
      : [{ path: CA_DIRECTORY, volume: { name: CA_VOLUME, ...authoritiesVolume(ca) } }]),
    ...(clientCertificate === undefined
      ? []
      : [{ path: CLIENT_CERTIFICATE_DIRECTORY, volume: clientCertificateVolume(clientCertificate) }]),
  ];
  if (mounted.length === 0) return {};
  return {
    additionalVolumes: mounted.map(({ volume }) => volume),
    additionalVolumeMounts: mounted.map(({ path, volume }) => ({
      name: volume.name,
      mountPath: path,
      readOnly: true,
    })),
  };
}

function clientCertificateVolume({ secretName, certificateKey, privateKeyKey }: ClientCertificate) {
  const items = [certificateKey, privateKeyKey].map((key) => ({ key, path: key }));
  return {
    name: "postgres-client",
    secret: { secretName, defaultMode: CERTIFICATE_FILE_MODE, items },
  };
}

function webIngress({ ingress }: ChartServerSettings["ui"]) {
  if (ingress === undefined) return { enabled: false };
  return {
    enabled: true,
    ...(ingress.className === undefined ? {} : { className: ingress.className }),
    annotations: ingress.annotations,
    hosts: [`${ingress.host}/`],
    tls: [{ hosts: [ingress.host], secretName: ingress.tlsSecret }],
  };
}

/**
 * Draining, so that a rolling update loses no call, and short-lived connections: gRPC stays with one pod
 * for as long as a connection lives, so a new frontend would get no work, and a full one keep it.
 */
function dynamicConfig({ shutdown, dynamicConfig: own }: ChartServerSettings) {
  const drain = `${shutdown.drainSeconds}s`;
  const values = {
    "frontend.keepAliveMaxConnectionAge": "1m",
    "frontend.shutdownFailHealthCheckDuration": `${shutdown.failHealthCheckSeconds}s`,
    "frontend.shutdownDrainDuration": drain,
    "history.shutdownDrainDuration": drain,
    "matching.shutdownDrainDuration": drain,
    "history.alignMembershipChange": `${ALIGNMENT_SECONDS}s`,
    "matching.alignMembershipChange": `${ALIGNMENT_SECONDS}s`,
    ...own,
  };
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, [{ value, constraints: {} }]]),
  );
}
