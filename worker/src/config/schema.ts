import { z } from "zod";
import {
  bindAddress,
  flag,
  headerList,
  hostPort,
  httpUrl,
  integer,
  optionalInteger,
  pollers,
  proxyAddress,
  readableFile,
  required,
  share,
  taskQueues,
} from "./fields";

const HOUR = 3600;

/** Temporal joins a deployment's name and a build id with a dot, and splits them at the first one. */
const deploymentName = z
  .string()
  .regex(/^[^\s.:]{1,200}$/, "expected at most 200 characters without white space, dots and colons");
const buildId = z
  .string()
  .regex(/^[^\s:]{1,200}$/, "expected at most 200 characters without white space and colons");

/** OpenTelemetry's own names; what else the OTLP exporter reads (timeouts, certificates) is passed by. */
const tracingFields = {
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpUrl.optional(),
  OTEL_EXPORTER_OTLP_HEADERS: headerList.optional(),
  OTEL_EXPORTER_OTLP_PROTOCOL: z
    .literal("http/protobuf", { error: "expected http/protobuf: no other exporter is built in" })
    .optional(),
  OTEL_TRACES_SAMPLER: z
    .literal("parentbased_traceidratio", {
      error: "expected parentbased_traceidratio; OTEL_TRACES_SAMPLER_ARG is its share, 0 to 1",
    })
    .optional(),
  OTEL_TRACES_SAMPLER_ARG: share(0.1),
  OTEL_SDK_DISABLED: flag.optional(),
};

/** What a client and a worker both need. */
const clientFields = {
  TEMPORAL_ADDRESS: hostPort,
  TEMPORAL_NAMESPACE: required("the Temporal namespace"),
  TEMPORAL_TASK_QUEUES: taskQueues,
  TEMPORAL_TLS: flag.optional(),
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: readableFile.optional(),
  TEMPORAL_TLS_SERVER_NAME: z.string().optional(),
  TEMPORAL_TLS_CLIENT_CERT_PATH: readableFile.optional(),
  TEMPORAL_TLS_CLIENT_KEY_PATH: readableFile.optional(),
  TEMPORAL_API_KEY: z.string().regex(/^\S+$/, "expected no white space").optional(),
  TEMPORAL_API_KEY_PATH: readableFile.optional(),
  TEMPORAL_GRPC_COMPRESSION: z.enum(["none", "gzip"], { error: "expected none or gzip" }).default("none"),
  CODEC_KEYS_DIR: z.string().optional(),
  CODEC_ACTIVE_KEY: z.string().optional(),
  CODEC_BIND_TO_WORKFLOW: flag.default(true),
  CODEC_REQUIRE_ENCRYPTED: flag.default(false),
  LOG_FAILURE_MESSAGES: flag.default(true),
  ...tracingFields,
};

/** What only a worker needs. What has no default here follows from the memory limit: see memory.ts. */
const workerFields = {
  POD_NAME: z.string().optional(),
  POD_NAMESPACE: z.string().optional(),
  TEMPORAL_PROXY_ADDRESS: proxyAddress.optional(),
  HEALTH_PORT: integer({ min: 1, max: 65_535, fallback: 8080 }),
  METRICS_BIND_ADDRESS: bindAddress,
  LOG_LEVEL: z
    .enum(["trace", "debug", "info", "warn", "error"], {
      error: "expected trace, debug, info, warn or error",
    })
    .default("info"),
  SHUTDOWN_GRACE_SECONDS: integer({ min: 0, max: HOUR, fallback: 30 }),
  SHUTDOWN_FORCE_SECONDS: integer({ min: 1, max: 2 * HOUR, fallback: 40 }),
  CONNECT_ATTEMPT_SECONDS: integer({ min: 1, max: 120, fallback: 10 }),
  CONNECT_GIVE_UP_SECONDS: integer({ min: 1, max: HOUR, fallback: 300 }),
  MAX_CACHED_WORKFLOWS: optionalInteger({ min: 2, max: 100_000 }),
  ACTIVITY_SLOTS: optionalInteger({ min: 1, max: 10_000 }),
  WORKFLOW_TASK_SLOTS: optionalInteger({ min: 2, max: 10_000 }),
  ACTIVITY_POLLERS: pollers(1),
  WORKFLOW_TASK_POLLERS: pollers(2),
  TEMPORAL_DEPLOYMENT_NAME: deploymentName.optional(),
  TEMPORAL_WORKER_BUILD_ID: buildId.optional(),
};

const TLS_DETAILS = [
  "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
  "TEMPORAL_TLS_SERVER_NAME",
  "TEMPORAL_TLS_CLIENT_CERT_PATH",
  "TEMPORAL_TLS_CLIENT_KEY_PATH",
] as const;

const API_KEY = ["TEMPORAL_API_KEY", "TEMPORAL_API_KEY_PATH"] as const;
const NEED_TLS = [...TLS_DETAILS, ...API_KEY] as const;

interface Issues {
  readonly issues: readonly { readonly path?: readonly PropertyKey[] | undefined }[];
}

/** Runs a check across settings whenever these settings are sound by themselves, whatever else is wrong. */
const whenSound =
  (...names: readonly string[]) =>
  ({ issues }: Issues): boolean =>
    !issues.some(({ path }) => path !== undefined && names.includes(String(path[0])));

export const rule = (path: string, error: string, names: readonly string[]) => ({
  path: [path],
  error,
  when: whenSound(path, ...names),
});

/** What the task queues of one process divide between them, and the least that each needs. */
const SHARED_BY_QUEUES = [
  ["MAX_CACHED_WORKFLOWS", 2],
  ["ACTIVITY_SLOTS", 1],
  ["WORKFLOW_TASK_SLOTS", 2],
] as const;

/** Settings of a client, as strings of the environment. */
export const clientSchema = z
  .object(clientFields)
  .refine(
    (env) => env.TEMPORAL_TLS !== false || NEED_TLS.every((name) => env[name] === undefined),
    rule("TEMPORAL_TLS", `false contradicts ${NEED_TLS.join(", ")}: they need TLS`, NEED_TLS),
  )
  .refine(
    (env) =>
      (env.TEMPORAL_TLS_CLIENT_CERT_PATH === undefined) === (env.TEMPORAL_TLS_CLIENT_KEY_PATH === undefined),
    rule("TEMPORAL_TLS_CLIENT_CERT_PATH", "must be set together with TEMPORAL_TLS_CLIENT_KEY_PATH", [
      "TEMPORAL_TLS_CLIENT_KEY_PATH",
    ]),
  )
  .refine(
    (env) => API_KEY.some((name) => env[name] === undefined),
    rule("TEMPORAL_API_KEY", "cannot be set together with TEMPORAL_API_KEY_PATH", API_KEY),
  )
  .refine(
    (env) => (env.CODEC_KEYS_DIR === undefined) === (env.CODEC_ACTIVE_KEY === undefined),
    rule("CODEC_KEYS_DIR", "must be set together with CODEC_ACTIVE_KEY", ["CODEC_ACTIVE_KEY"]),
  )
  .refine(
    (env) => !env.CODEC_REQUIRE_ENCRYPTED || env.CODEC_KEYS_DIR !== undefined,
    rule("CODEC_REQUIRE_ENCRYPTED", "true needs keys: set CODEC_KEYS_DIR and CODEC_ACTIVE_KEY", [
      "CODEC_KEYS_DIR",
    ]),
  );

/** Settings of what reads histories for a worker, from where the worker is: through its proxy, too. */
export const replaySchema = clientSchema.safeExtend({ TEMPORAL_PROXY_ADDRESS: proxyAddress.optional() });

/** Settings of a worker, as strings of the environment. */
export const workerSchema = clientSchema
  .safeExtend(workerFields)
  .refine(
    (env) => env.SHUTDOWN_FORCE_SECONDS > env.SHUTDOWN_GRACE_SECONDS,
    rule("SHUTDOWN_FORCE_SECONDS", "must be greater than SHUTDOWN_GRACE_SECONDS", ["SHUTDOWN_GRACE_SECONDS"]),
  )
  .refine(
    (env) => env.HEALTH_PORT !== env.METRICS_BIND_ADDRESS.port,
    rule("HEALTH_PORT", "must differ from the port in METRICS_BIND_ADDRESS", ["METRICS_BIND_ADDRESS"]),
  )
  .refine(
    (env) => (env.TEMPORAL_DEPLOYMENT_NAME === undefined) === (env.TEMPORAL_WORKER_BUILD_ID === undefined),
    rule("TEMPORAL_DEPLOYMENT_NAME", "must be set together with TEMPORAL_WORKER_BUILD_ID", [
      "TEMPORAL_WORKER_BUILD_ID",
    ]),
  )
  .superRefine((env, context) => {
    for (const [name, least] of SHARED_BY_QUEUES) {
      const value = env[name];
      const needed = env.TEMPORAL_TASK_QUEUES.length * least;
      if (value !== undefined && value < needed) {
        context.addIssue({
          code: "custom",
          path: [name],
          message: `is shared by the task queues, each of which needs ${least}: expected at least ${needed}, got "${value}"`,
        });
      }
    }
  });

export type ClientEnvironment = z.output<typeof clientSchema>;
export type WorkerEnvironment = z.output<typeof workerSchema>;

const SUPPORTED = new Set(Object.keys(clientFields));

const REFUSED: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/^TEMPORAL_TLS_DISABLE_HOST_VERIFICATION$/, "the server is always verified; set TEMPORAL_TLS_SERVER_NAME"],
  [/^TEMPORAL_TLS_.*_DATA$/, "certificates are read from files, so that they can rotate; use the _PATH form"],
  [/^TEMPORAL_TLS_/, `unknown; expected one of ${TLS_DETAILS.join(", ")}`],
  [/^TEMPORAL_(CONFIG_FILE|PROFILE)$/, "settings come from the environment only"],
  [/^TEMPORAL_GRPC_META_/, "request metadata cannot be set"],
  [/^TEMPORAL_TASK_QUEUE$/, "set TEMPORAL_TASK_QUEUES, which takes one queue or several"],
  [
    /^TEMPORAL_PROXY(?!_ADDRESS$)/,
    "set TEMPORAL_PROXY_ADDRESS: an HTTP proxy that takes CONNECT, as host:port without login",
  ],
  [/^TEMPORAL_DEBUG$/, "switches the deadlock detection off; not for a deployed process"],
];

/** Variables that other Temporal programs honour and this one would ignore, each with what to do instead. */
export function refusedVariables(names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const refusal = SUPPORTED.has(name) ? undefined : REFUSED.find(([pattern]) => pattern.test(name));
    return refusal === undefined ? [] : [`${name}: ${refusal[1]}`];
  });
}
