import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { makeTelemetryFilterString, Runtime } from "@temporalio/worker";
import type { Worker } from "@temporalio/worker";
import { buildInfo } from "./build-info";
import type { BuildInfo } from "./build-info";
import { ConfigurationError, EXIT_CONFIGURATION, loadWorkerConfig } from "./config";
import type { WorkerConfig } from "./config";
import { retry } from "./connection";
import { Connectivity } from "./connectivity";
import { createWorkers, UnusableBuild } from "./create-workers";
import type { WorkerParts } from "./create-workers";
import { followCredentials } from "./credentials";
import { diagnose } from "./diagnosis";
import type { Diagnosis } from "./diagnosis";
import type { Gateways } from "./domain/gateways";
import { causeChain } from "./errors";
import { Frontend } from "./frontend";
import { startHealthServer } from "./health";
import { Lifecycle } from "./lifecycle";
import { createLogger } from "./logger";
import type { Logger } from "./logger";
import { PROCESS_HISTOGRAM_BUCKETS, startProcessMetrics } from "./metrics";
import { Polls, scrapeOwnMetrics } from "./polls";
import { ForcedShutdown, runAll } from "./run-workers";
import { sdkLogger } from "./sdk-logger";
import { startTracing } from "./tracing";
import { armWatchdog } from "./watchdog";

/** What a service is started with. */
export interface ServiceOptions {
  /** Settings, usually `process.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly gateways: Gateways;
  /** Aborting it drains the worker and ends the service. */
  readonly stop: AbortSignal;
  /** The built workflows. Default: the bundle beside this file, where `npm run build` puts it. */
  readonly bundlePath?: string;
  /** Time beyond that for the drain, for the connection and the last spans, in ms; then the process ends. Default 8000. */
  readonly lastStepsMs?: number;
}

/** Exit code when the drain ran out of time; like that of timeout(1). */
export const EXIT_FORCED = 124;

const LAST_STEPS_MS = 8000;

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
  const deadlineMs = config.shutdown.forceSeconds * 1000 + (options.lastStepsMs ?? LAST_STEPS_MS);
  const disarm = armWatchdog(options.stop, deadlineMs, () => {
    logger.fatal("the shutdown hangs, and is ended: what was still running is lost to this process");
    process.exit(EXIT_FORCED);
  });
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
  } finally {
    disarm();
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
    installRuntime(config);
    if (config.keyring === undefined) logger.warn("CODEC_KEYS_DIR is not set: payloads are not encrypted");
    lifecycle.advance("connecting");
    const parts = { config, gateways: options.gateways, bundlePath, tracing };
    const { frontend, workers } = await connect(parts, stop, lifecycle, logger);
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

function installRuntime({ logLevel, identity, failureMessages, metricsBindAddress }: WorkerConfig): void {
  Runtime.install({
    // What workflows and activities fail with, only the SDK logs.
    logger: sdkLogger(createLogger(logLevel, { identity }, undefined, { failureMessages })),
    shutdownSignals: [],
    telemetryOptions: {
      logging: { forward: {}, filter: SDK_LOG_FILTER },
      metrics: {
        prometheus: {
          bindAddress: metricsBindAddress,
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
  parts: WorkerParts,
  stop: AbortSignal,
  lifecycle: Lifecycle,
  logger: Logger,
): Promise<Connected> {
  const { config } = parts;
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
  let isFirst = true;
  const attempt = async (): Promise<Connected> => {
    const frontend = await (isFirst ? Frontend.open(config, stop) : Frontend.openProven(config, stop));
    isFirst = false;
    try {
      return { frontend, workers: await createWorkers(parts, frontend.connection, stop) };
    } catch (error) {
      await frontend.close();
      throw error;
    }
  };
  return retry(attempt, {
    giveUpMs: config.connect.giveUpSeconds * 1000,
    signal: stop,
    isFinal: (error) => error instanceof UnusableBuild,
    onRetry,
  });
}

/** What somebody has to mend, unlike an outage, which ends. */
const REFUSALS: ReadonlySet<string> = new Set<Diagnosis["kind"]>(["api-key", "permission", "namespace"]);

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
  const polls = new Polls(config.taskQueues, () => scrapeOwnMetrics(config.metricsBindAddress));
  const connectivity = new Connectivity({
    probe: async () => {
      await frontend.probe();
      await polls.look();
    },
    isRefusal: (error) => REFUSALS.has(diagnose(error, config).kind),
    onLost: (error) =>
      logger.error(
        { error },
        `cannot work: ${diagnose(error, config).message}; the worker tries on by itself`,
      ),
    onRestored: (lostForMs) => logger.info({ lostForMs }, "Temporal can be used again"),
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
