import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { makeTelemetryFilterString, Runtime, Worker } from "@temporalio/worker";
import type { NativeConnection, WorkerOptions } from "@temporalio/worker";
import { createActivities } from "./activities";
import { buildInfo } from "./build-info";
import type { BuildInfo } from "./build-info";
import { createDataConverter } from "./codec/data-converter";
import { ConfigurationError, EXIT_CONFIGURATION, loadWorkerConfig } from "./config";
import type { Pollers, WorkerConfig } from "./config";
import { orAborted, retry } from "./connection";
import { Connectivity } from "./connectivity";
import { diagnose } from "./diagnosis";
import type { Gateways } from "./domain/gateways";
import { causeChain } from "./errors";
import { Frontend } from "./frontend";
import { startHealthServer } from "./health";
import { Lifecycle } from "./lifecycle";
import { createLogger } from "./logger";
import type { Logger } from "./logger";
import { divided } from "./memory";
import { PROCESS_HISTOGRAM_BUCKETS, startProcessMetrics } from "./metrics";
import { loadWorkflowBundle } from "./bundled-workflows";
import { sdkLogger } from "./sdk-logger";
import { startTracing } from "./tracing";
import type { Tracing } from "./tracing";

/** What a service is started with. */
export interface ServiceOptions {
  /** Settings, usually `process.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly gateways: Gateways;
  /** Aborting it drains the worker and ends the service. */
  readonly stop: AbortSignal;
  /** The built workflows. Default: the bundle beside this file, where `npm run build` puts it. */
  readonly bundlePath?: string;
}

/** Exit code when activities were still running at the end of the drain; like that of timeout(1). */
export const EXIT_FORCED = 124;
/** Time between two looks at the files of the connection, in ms; the kubelet takes about a minute to renew them. */
const CREDENTIALS_INTERVAL_MS = 10_000;

/** Timers may fire this much before the clock says so, in ms. */
const TIMER_SLACK_MS = 50;

/** The drain took longer than it may. */
class ForcedShutdown extends Error {
  override readonly name = "ForcedShutdown";
}

/**
 * Runs the worker until it is told to stop.
 *
 * @returns the exit code of the process: 0 drained, 1 failed, 124 stopped by force, 78 wrong settings
 */
export async function runService(options: ServiceOptions): Promise<number> {
  let config: WorkerConfig;
  try {
    config = loadWorkerConfig(options.environment);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    createLogger("info").fatal({ problems: error.problems }, "invalid configuration");
    return EXIT_CONFIGURATION;
  }
  const logger = createLogger(config.logLevel, { identity: config.identity });
  try {
    await serve(config, options, logger);
    logger.info("stopped");
    return 0;
  } catch (error) {
    if (options.stop.aborted && error === options.stop.reason) {
      logger.info({ reason: causeChain(error) }, "stopped before a worker ran");
      return 0;
    }
    if (error instanceof ForcedShutdown) {
      logger.fatal(
        { error },
        "the shutdown was forced: activities were still running, and are lost to this process",
      );
      return EXIT_FORCED;
    }
    logger.fatal({ error, ...causeOf(error, config) }, "the worker failed");
    return 1;
  }
}

async function serve(config: WorkerConfig, options: ServiceOptions, logger: Logger): Promise<void> {
  const { stop, bundlePath = join(__dirname, "workflow-bundle.js") } = options;
  const lifecycle = new Lifecycle();
  let forcedAt = Infinity;
  const onStop = (): void => {
    lifecycle.advance("draining");
    forcedAt = Date.now() + config.shutdown.forceSeconds * 1000;
  };
  stop.addEventListener("abort", onStop, { once: true });
  const build = buildInfo(options.environment);
  const tracing = await startTracing(
    config.tracing,
    {
      "service.name": "temporal-worker",
      "service.version": build.version,
      "service.instance.id": config.identity,
    },
    {
      onExportLost: (error) =>
        logger.warn({ error }, "spans cannot be exported; they are lost until they can"),
      onExportRestored: (lostSpans) => logger.info({ lostSpans }, "spans are exported again"),
    },
  );
  const health = await startHealthServer(config.healthPort, lifecycle.checks);
  try {
    accessSync(bundlePath, constants.R_OK);
    installRuntime(config, logger);
    if (config.keyring === undefined) logger.warn("CODEC_KEYS_DIR is not set: payloads are not encrypted");
    lifecycle.advance("connecting");
    const { frontend, workers } = await connect(
      config,
      options.gateways,
      bundlePath,
      tracing,
      stop,
      lifecycle,
      logger,
    );
    try {
      await work(config, workers, frontend, lifecycle, build, stop, logger);
    } finally {
      await frontend.close();
    }
  } finally {
    lifecycle.advance("stopped");
    health.closeAllConnections();
    health.close();
    await tracing?.stop(forcedAt - Date.now());
  }
}

/** Without what the core says of each retried poll: during an outage that is a flood, and we say it once. */
const SDK_LOG_FILTER = `${makeTelemetryFilterString({ core: "INFO", other: "WARN" })},temporalio_client::retry=OFF`;

function installRuntime(config: WorkerConfig, logger: Logger): void {
  Runtime.install({
    logger: sdkLogger(logger),
    shutdownSignals: [],
    telemetryOptions: {
      logging: { forward: {}, filter: SDK_LOG_FILTER },
      metrics: {
        prometheus: {
          bindAddress: config.metricsBindAddress,
          countersTotalSuffix: true,
          unitSuffix: true,
          useSecondsForDurations: true,
          histogramBucketOverrides: PROCESS_HISTOGRAM_BUCKETS,
        },
      },
    },
  });
}

/** What has to do with the connection, named; nothing for other failures. */
function causeOf(error: unknown, config: WorkerConfig): { reason?: string } {
  const { kind, message } = diagnose(error, config);
  return kind === "unknown" ? {} : { reason: message };
}

interface Connected {
  readonly frontend: Frontend;
  readonly workers: readonly Worker[];
}

/** Repeats until Temporal is there and lets us in. Says why not once, and again when the reason changes. */
async function connect(
  config: WorkerConfig,
  gateways: Gateways,
  bundlePath: string,
  tracing: Tracing | undefined,
  stop: AbortSignal,
  lifecycle: Lifecycle,
  logger: Logger,
): Promise<Connected> {
  let lastMessage: string | undefined;
  const onRetry = (error: unknown): void => {
    lifecycle.connectFailed(error);
    const { kind, message } = diagnose(error, config);
    if (message === lastMessage) return;
    lastMessage = message;
    const { address } = config.connection;
    logger.warn(
      { error, kind, address, namespace: config.namespace },
      `cannot use Temporal: ${message}; trying on`,
    );
  };
  const attempt = async (): Promise<Connected> => {
    const frontend = await Frontend.open(config, stop);
    try {
      return {
        frontend,
        workers: await createWorkers(config, gateways, bundlePath, tracing, frontend.connection, stop),
      };
    } catch (error) {
      await frontend.close();
      throw error;
    }
  };
  return retry(attempt, { giveUpMs: config.connect.giveUpSeconds * 1000, signal: stop, onRetry });
}

/** One worker for each task queue. */
async function createWorkers(
  config: WorkerConfig,
  gateways: Gateways,
  bundlePath: string,
  tracing: Tracing | undefined,
  connection: NativeConnection,
  stop: AbortSignal,
): Promise<Worker[]> {
  const workers: Worker[] = [];
  try {
    for (const options of workerOptions(config, gateways, bundlePath, tracing, connection)) {
      workers.push(await orAborted(Worker.create(options), stop));
    }
    return workers;
  } catch (error) {
    await Promise.all(workers.map(discard));
    throw error;
  }
}

/** The SDK lets go of a worker only when that has run. */
async function discard(worker: Worker): Promise<void> {
  const running = worker.run();
  worker.shutdown();
  await running.catch(() => undefined);
}

function workerOptions(
  config: WorkerConfig,
  gateways: Gateways,
  bundlePath: string,
  tracing: Tracing | undefined,
  connection: NativeConnection,
): WorkerOptions[] {
  const { capacity, pollers, taskQueues, version } = config;
  const common = {
    connection,
    namespace: config.namespace,
    identity: config.identity,
    workflowBundle: loadWorkflowBundle(bundlePath, {
      ...(version === undefined ? {} : { workerVersioning: true }),
      ...(config.tracing === undefined ? {} : { tracingSampleRatio: config.tracing.sampleRatio }),
    }),
    ...tracing?.workerOptions(),
    activities: createActivities(gateways),
    dataConverter: createDataConverter(config.keyring),
    shutdownGraceTime: config.shutdown.graceSeconds * 1000,
    shutdownForceTime: config.shutdown.forceSeconds * 1000,
    ...(version === undefined
      ? {}
      : {
          workerDeploymentOptions: {
            version,
            useWorkerVersioning: true as const,
            // What a workflow gets that does not say otherwise; the same as in a plain rolling update.
            defaultVersioningBehavior: "AUTO_UPGRADE" as const,
          },
        }),
  };
  return divided(capacity, taskQueues).map(({ taskQueue, cachedWorkflows, activities, workflowTasks }) => ({
    ...common,
    taskQueue,
    maxCachedWorkflows: cachedWorkflows,
    maxConcurrentActivityTaskExecutions: activities,
    maxConcurrentWorkflowTaskExecutions: workflowTasks,
    activityTaskPollerBehavior: pollerBehavior(pollers.activities),
    workflowTaskPollerBehavior: pollerBehavior(pollers.workflowTasks),
  }));
}

function pollerBehavior(pollers: Pollers): NonNullable<WorkerOptions["activityTaskPollerBehavior"]> {
  return pollers === "auto" ? { type: "autoscaling" } : { type: "simple-maximum", maximum: pollers };
}

async function work(
  config: WorkerConfig,
  workers: readonly Worker[],
  frontend: Frontend,
  lifecycle: Lifecycle,
  build: BuildInfo,
  stop: AbortSignal,
  logger: Logger,
): Promise<void> {
  stop.throwIfAborted();
  const connectivity = new Connectivity({
    probe: () => frontend.probe(),
    onLost: (error) =>
      logger.error(
        { error },
        `lost Temporal: ${diagnose(error, config).message}; the worker reconnects by itself`,
      ),
    onRestored: (lostForMs) => logger.info({ lostForMs }, "Temporal answers again"),
  });
  const stopMetrics = startProcessMetrics(Runtime.instance().metricMeter, build);
  const stopFollowing = followCredentials(config, workers, frontend, stop, logger);
  connectivity.start();
  lifecycle.run({ workerStates: () => workers.map((worker) => worker.getState()), connectivity });
  const { capacity, taskQueues } = config;
  logger.info({ taskQueues, ...capacity }, "working");
  try {
    await runAll(workers, config.shutdown.forceSeconds * 1000, stop, logger);
  } finally {
    connectivity.stop();
    stopFollowing();
    stopMetrics();
  }
  if (!stop.aborted) throw new Error("the worker stopped without being asked to");
}

/** Runs until told to stop, or until one worker fails, which takes the others along: half a process helps nobody. */
async function runAll(
  workers: readonly Worker[],
  forceMs: number,
  stop: AbortSignal,
  logger: Logger,
): Promise<void> {
  let stoppedAt = Number.POSITIVE_INFINITY;
  const failures: unknown[] = [];
  const shutdownAll = (): void => {
    for (const worker of workers) if (worker.getState() === "RUNNING") worker.shutdown();
  };
  const drain = (): void => {
    logger.info({ reason: causeChain(stop.reason) }, "draining");
    stoppedAt = Date.now();
    shutdownAll();
  };
  const run = (worker: Worker): Promise<void> =>
    worker
      .run()
      .catch((error: unknown) => void failures.push(error))
      .finally(shutdownAll);
  stop.addEventListener("abort", drain, { once: true });
  try {
    await Promise.all(workers.map(run));
  } finally {
    stop.removeEventListener("abort", drain);
  }
  if (failures.length === 0) return;
  const forced = Date.now() - stoppedAt >= forceMs - TIMER_SLACK_MS;
  throw forced ? new ForcedShutdown("the drain ran out of time", { cause: failures[0] }) : failures[0];
}

/** Takes over certificates and API key that change on disk, without a restart. */
function followCredentials(
  config: WorkerConfig,
  workers: readonly Worker[],
  frontend: Frontend,
  stop: AbortSignal,
  logger: Logger,
): () => void {
  let lastMessage: string | undefined;
  let timer: NodeJS.Timeout;
  const look = async (): Promise<void> => {
    try {
      const renewed = await frontend.renew(stop, (connection) => {
        for (const worker of workers) worker.connection = connection;
      });
      if (renewed) logger.info("connected anew, with the credentials that changed on disk");
      lastMessage = undefined;
    } catch (error) {
      const { message } = diagnose(error, config);
      if (!stop.aborted && message !== lastMessage) {
        logger.error(
          { error },
          `the credentials that changed on disk do not work, the old ones stay: ${message}`,
        );
      }
      lastMessage = message;
    }
  };
  const next = (): void => {
    timer = setTimeout(() => void look().then(next), CREDENTIALS_INTERVAL_MS);
    timer.unref();
  };
  next();
  return () => clearTimeout(timer);
}
