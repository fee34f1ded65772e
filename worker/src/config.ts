import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { ProxyConfig, TLSConfig } from "@temporalio/common/lib/internal-non-workflow";
import type { z } from "zod";
import type { EncryptionPolicy } from "./codec/encryption-codec";
import { KeyringError, loadKeyring } from "./codec/keyring";
import type { Keyring } from "./codec/keyring";
import { clientSchema, refusedVariables, replaySchema, workerSchema } from "./config/schema";
import type { ClientEnvironment, WorkerEnvironment } from "./config/schema";
import { fittingCapacity, ownMemory } from "./memory";
import type { Capacity, Memory } from "./memory";
import type { TracingConfig } from "./tracing";

/** sysexits.h EX_CONFIG: a restart does not help. */
export const EXIT_CONFIGURATION = 78;

/** Everything that is wrong with the settings. Messages name settings and never hold a secret's value. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";

  constructor(readonly problems: readonly string[]) {
    super(`invalid configuration: ${problems.join("; ")}`);
  }
}

/** How to reach Temporal. */
export interface ConnectionConfig {
  /** `host:port`. */
  readonly address: string;
  readonly apiKey: ApiKey | undefined;
  /** Undefined: no TLS. */
  readonly tls: TlsFiles | undefined;
  /** `host:port` of an HTTP proxy that takes CONNECT; default: none. Workers only: the SDK's client knows none. */
  readonly proxy?: string;
  /** Of requests and answers. It takes a fifth of a worker's CPU time: worth it for a distant server only. */
  readonly compression: "none" | "gzip";
}

/** The key itself, or the file that holds it. */
export type ApiKey = { readonly value: string } | { readonly path: string };

export interface TlsFiles {
  readonly serverName: string | undefined;
  /** Undefined: the system's certificate authorities. */
  readonly serverCaPath: string | undefined;
  readonly client: { readonly certPath: string; readonly keyPath: string } | undefined;
}

export interface ClientConfig {
  readonly connection: ConnectionConfig;
  readonly namespace: string;
  /** At least one; a client starts workflows on the first. */
  readonly taskQueues: readonly [string, ...string[]];
  /** Undefined: payloads are written in the clear. */
  readonly keyring: Keyring | undefined;
  readonly encryption: EncryptionPolicy;
  /** Undefined: tracing is off. */
  readonly tracing: TracingConfig | undefined;
}

export interface WorkerConfig extends ClientConfig {
  /** What Temporal calls this process: `pod@namespace`. */
  readonly identity: string;
  readonly healthPort: number;
  readonly metricsBindAddress: string;
  readonly logLevel: WorkerEnvironment["LOG_LEVEL"];
  /** Whether messages of failures may stand in the log and in spans. */
  readonly failureMessages: boolean;
  readonly shutdown: { readonly graceSeconds: number; readonly forceSeconds: number };
  readonly connect: { readonly attemptSeconds: number; readonly giveUpSeconds: number };
  /** Of the whole process; its task queues share them. */
  readonly capacity: Capacity;
  readonly pollers: { readonly activities: Pollers; readonly workflowTasks: Pollers };
  /** Undefined: Temporal routes tasks to this worker whatever its version. */
  readonly version: { readonly deploymentName: string; readonly buildId: string } | undefined;
}

/** A fixed number of open polls, or `auto`: the server says how many. */
export type Pollers = number | "auto";

type Environment = Readonly<Record<string, string | undefined>>;

function connectionConfig(env: ClientEnvironment): ConnectionConfig {
  const certPath = env.TEMPORAL_TLS_CLIENT_CERT_PATH;
  const keyPath = env.TEMPORAL_TLS_CLIENT_KEY_PATH;
  const tls: TlsFiles = {
    serverName: env.TEMPORAL_TLS_SERVER_NAME,
    serverCaPath: env.TEMPORAL_TLS_SERVER_CA_CERT_PATH,
    client: certPath !== undefined && keyPath !== undefined ? { certPath, keyPath } : undefined,
  };
  const apiKey = apiKeyOf(env);
  const implied = apiKey !== undefined || Object.values(tls).some((value) => value !== undefined);
  return {
    address: env.TEMPORAL_ADDRESS,
    apiKey,
    tls: (env.TEMPORAL_TLS ?? implied) ? tls : undefined,
    compression: env.TEMPORAL_GRPC_COMPRESSION,
  };
}

function apiKeyOf({
  TEMPORAL_API_KEY: value,
  TEMPORAL_API_KEY_PATH: path,
}: ClientEnvironment): ApiKey | undefined {
  if (value !== undefined) return { value };
  return path === undefined ? undefined : { path };
}

function tracingConfig(env: ClientEnvironment): TracingConfig | undefined {
  const endpoint = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_ENDPOINT;
  return endpoint === undefined || env.OTEL_SDK_DISABLED === true
    ? undefined
    : { sampleRatio: env.OTEL_TRACES_SAMPLER_ARG, failureMessages: env.LOG_FAILURE_MESSAGES };
}

/** Validates the environment and the files it names; throws one error with all problems. */
export function load<Settings>(
  schema: z.ZodType<Settings>,
  environment: Environment,
): { settings: Settings; keyring: Keyring | undefined } {
  // An orchestrator's way to unset a variable is the empty string.
  const env = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""),
  );
  const problems = refusedVariables(Object.keys(env));

  const result = schema.safeParse(env);
  if (!result.success) {
    problems.push(...result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`));
  }
  let keyring: Keyring | undefined;
  try {
    const { CODEC_KEYS_DIR: directory, CODEC_ACTIVE_KEY: active } = env;
    if (directory !== undefined && active !== undefined) keyring = loadKeyring(directory, active);
  } catch (error) {
    if (!(error instanceof KeyringError)) throw error;
    problems.push(...error.problems.map((problem) => `CODEC_KEYS_DIR: ${problem}`));
  }
  if (!result.success || problems.length > 0) throw new ConfigurationError(problems);
  return { settings: result.data, keyring };
}

function clientConfig(env: ClientEnvironment, keyring: Keyring | undefined): ClientConfig {
  return {
    connection: connectionConfig(env),
    namespace: env.TEMPORAL_NAMESPACE,
    taskQueues: env.TEMPORAL_TASK_QUEUES,
    keyring,
    encryption: {
      bindToWorkflow: env.CODEC_BIND_TO_WORKFLOW,
      requireEncrypted: env.CODEC_REQUIRE_ENCRYPTED,
    },
    tracing: tracingConfig(env),
  };
}

/**
 * Settings of a client.
 *
 * @param environment usually `process.env`; the variables are listed in README.md
 * @throws ConfigurationError with every problem
 */
export function loadClientConfig(environment: Environment): ClientConfig {
  const { settings, keyring } = load(clientSchema, environment);
  return clientConfig(settings, keyring);
}

/**
 * Settings of a replay: those of a client, and the worker's proxy.
 *
 * @throws ConfigurationError with every problem
 */
export function loadReplayConfig(environment: Environment): ClientConfig {
  const { settings, keyring } = load(replaySchema, environment);
  return throughProxy(clientConfig(settings, keyring), settings.TEMPORAL_PROXY_ADDRESS);
}

const throughProxy = (client: ClientConfig, proxy: string | undefined): ClientConfig =>
  proxy === undefined ? client : { ...client, connection: { ...client.connection, proxy } };

/**
 * Settings of a worker.
 *
 * @param environment usually `process.env`; the variables are listed in README.md
 * @param memory what the process may use; default: what its container and Node allow
 * @throws ConfigurationError with every problem
 */
export function loadWorkerConfig(environment: Environment, memory: Memory = ownMemory()): WorkerConfig {
  const { settings: env, keyring } = load(workerSchema, environment);
  const fitting = fittingCapacity(memory, env.TEMPORAL_TASK_QUEUES.length);
  const { TEMPORAL_DEPLOYMENT_NAME: deploymentName, TEMPORAL_WORKER_BUILD_ID: buildId } = env;
  return {
    ...throughProxy(clientConfig(env, keyring), env.TEMPORAL_PROXY_ADDRESS),
    identity: `${env.POD_NAME ?? `${process.pid}@${hostname()}`}${env.POD_NAMESPACE ? `@${env.POD_NAMESPACE}` : ""}`,
    healthPort: env.HEALTH_PORT,
    metricsBindAddress: env.METRICS_BIND_ADDRESS.text,
    logLevel: env.LOG_LEVEL,
    failureMessages: env.LOG_FAILURE_MESSAGES,
    shutdown: { graceSeconds: env.SHUTDOWN_GRACE_SECONDS, forceSeconds: env.SHUTDOWN_FORCE_SECONDS },
    connect: { attemptSeconds: env.CONNECT_ATTEMPT_SECONDS, giveUpSeconds: env.CONNECT_GIVE_UP_SECONDS },
    capacity: {
      cachedWorkflows: env.MAX_CACHED_WORKFLOWS ?? fitting.cachedWorkflows,
      activities: env.ACTIVITY_SLOTS ?? fitting.activities,
      workflowTasks: env.WORKFLOW_TASK_SLOTS ?? fitting.workflowTasks,
    },
    pollers: { activities: env.ACTIVITY_POLLERS, workflowTasks: env.WORKFLOW_TASK_POLLERS },
    version: deploymentName !== undefined && buildId !== undefined ? { deploymentName, buildId } : undefined,
  };
}

/** What the SDK connects with. TLS is always stated, never left to the SDK's defaults. */
export interface ConnectionOptions {
  address: string;
  tls: TLSConfig | false;
  /** The SDK compresses unless told not to. */
  grpcCompression: { codec: "none" } | { codec: "gzip" };
  apiKey?: string;
  proxy?: ProxyConfig;
}

/**
 * Options for the SDK, with certificates and API key as they are on disk now: call it for each connect.
 *
 * @throws when one of the files cannot be read any more, or the API key's holds none
 */
export function connectionOptions(config: ConnectionConfig): ConnectionOptions {
  const { address, apiKey, tls, proxy } = config;
  return {
    address,
    tls: tls === undefined ? false : tlsOptions(tls),
    grpcCompression: { codec: config.compression },
    ...(apiKey === undefined ? {} : { apiKey: "value" in apiKey ? apiKey.value : readApiKey(apiKey.path) }),
    ...(proxy === undefined ? {} : { proxy: { type: "http-connect", targetHost: proxy } }),
  };
}

function readApiKey(path: string): string {
  const key = readFileSync(path, "utf8").trim();
  if (!/^\S+$/.test(key)) throw new Error(`TEMPORAL_API_KEY_PATH: ${path} holds no API key`);
  return key;
}

function tlsOptions({ serverName, serverCaPath, client }: TlsFiles): TLSConfig {
  return {
    ...(serverName === undefined ? {} : { serverNameOverride: serverName }),
    ...(serverCaPath === undefined ? {} : { serverRootCACertificate: readFileSync(serverCaPath) }),
    ...(client === undefined
      ? {}
      : { clientCertPair: { crt: readFileSync(client.certPath), key: readFileSync(client.keyPath) } }),
  };
}
