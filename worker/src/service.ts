import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { NativeConnection, Runtime, Worker } from "@temporalio/worker";
import { createActivities } from "./activities";
import { buildInfo } from "./build-info";
import type { BuildInfo } from "./build-info";
import { createDataConverter } from "./codec/data-converter";
import { ConfigurationError, connectionOptions, EXIT_CONFIGURATION, loadWorkerConfig } from "./config";
import type { WorkerConfig } from "./config";
import { openWithin, orAborted, retry } from "./connection";
import { Connectivity } from "./connectivity";
import type { Gateways } from "./domain/gateways";
import { causeChain } from "./errors";
import { startHealthServer } from "./health";
import { Lifecycle } from "./lifecycle";
import { createLogger, sdkLogger } from "./logger";
import type { Logger } from "./logger";
import { PROCESS_HISTOGRAM_BUCKETS, startProcessMetrics } from "./metrics";
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

const FRONTEND_SERVICE = "temporal.api.workflowservice.v1.WorkflowService";
/** Time for the cheap request behind `/readyz`, in ms. */
const PROBE_DEADLINE_MS = 5000;

/**
 * Runs the worker until it is told to stop.
 *
 * @returns the exit code of the process: 0 drained, 1 failed or forced, 78 wrong settings
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
    logger.fatal({ error }, options.stop.aborted ? "the shutdown was forced" : "the worker failed");
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
    const { connection, worker } = await connect(
      config,
      options.gateways,
      bundlePath,
      tracing,
      stop,
      (error, delayMs) => {
        lifecycle.connectFailed(error);
        logger.warn(
          { error, retryInMs: delayMs, address: config.connection.address },
          "cannot reach Temporal",
        );
      },
    );
    try {
      await work(worker, connection, lifecycle, build, stop, logger);
    } finally {
      // A worker that was stopped by force still holds its connection; the process ends anyway.
      await connection.close().catch(() => undefined);
    }
  } finally {
    lifecycle.advance("stopped");
    health.closeAllConnections();
    health.close();
    await tracing?.stop(forcedAt - Date.now());
  }
}

function installRuntime(config: WorkerConfig, logger: Logger): void {
  Runtime.install({
    logger: sdkLogger(logger),
    shutdownSignals: [],
    telemetryOptions: {
      logging: { forward: {}, filter: { core: "INFO", other: "WARN" } },
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

/** Creating the worker asks for its namespace, so it belongs to the attempt: the namespace may come later. */
async function connect(
  config: WorkerConfig,
  gateways: Gateways,
  bundlePath: string,
  tracing: Tracing | undefined,
  stop: AbortSignal,
  onRetry: (error: unknown, delayMs: number) => void,
): Promise<{ connection: NativeConnection; worker: Worker }> {
  const { attemptSeconds, giveUpSeconds } = config.connect;
  const attempt = async (): Promise<{ connection: NativeConnection; worker: Worker }> => {
    const connection = await openWithin(
      () => NativeConnection.connect(connectionOptions(config.connection)),
      (late) => late.close(),
      attemptSeconds * 1000,
      stop,
    );
    try {
      return {
        connection,
        worker: await orAborted(createWorker(config, gateways, bundlePath, tracing, connection), stop),
      };
    } catch (error) {
      await connection.close().catch(() => undefined);
      throw error;
    }
  };
  return retry(attempt, { giveUpMs: giveUpSeconds * 1000, signal: stop, onRetry });
}

function createWorker(
  config: WorkerConfig,
  gateways: Gateways,
  bundlePath: string,
  tracing: Tracing | undefined,
  connection: NativeConnection,
): Promise<Worker> {
  return Worker.create({
    connection,
    namespace: config.namespace,
    taskQueue: config.taskQueue,
    identity: config.identity,
    workflowBundle: { codePath: bundlePath },
    ...tracing?.workerOptions(bundlePath),
    activities: createActivities(gateways),
    dataConverter: createDataConverter(config.keyring),
    maxCachedWorkflows: config.maxCachedWorkflows,
    maxConcurrentActivityTaskExecutions: config.activitySlots,
    maxConcurrentWorkflowTaskExecutions: config.workflowTaskSlots,
    shutdownGraceTime: config.shutdown.graceSeconds * 1000,
    shutdownForceTime: config.shutdown.forceSeconds * 1000,
  });
}

async function work(
  worker: Worker,
  connection: NativeConnection,
  lifecycle: Lifecycle,
  build: BuildInfo,
  stop: AbortSignal,
  logger: Logger,
): Promise<void> {
  stop.throwIfAborted();
  const connectivity = new Connectivity({
    probe: () =>
      connection.withDeadline(Date.now() + PROBE_DEADLINE_MS, () =>
        connection.healthService.check({ service: FRONTEND_SERVICE }),
      ),
    onLost: (error) => logger.error({ error }, "lost Temporal; the worker reconnects by itself"),
    onRestored: (lostForMs) => logger.info({ lostForMs }, "Temporal answers again"),
  });
  const stopMetrics = startProcessMetrics(Runtime.instance().metricMeter, build);
  connectivity.start();
  lifecycle.run({ workerState: () => worker.getState(), connectivity });
  const drain = (): void => {
    logger.info({ reason: causeChain(stop.reason) }, "draining");
    worker.shutdown();
  };
  try {
    const running = worker.run();
    stop.addEventListener("abort", drain, { once: true });
    await running;
  } finally {
    stop.removeEventListener("abort", drain);
    connectivity.stop();
    stopMetrics();
  }
  if (!stop.aborted) throw new Error("the worker stopped without being asked to");
}
