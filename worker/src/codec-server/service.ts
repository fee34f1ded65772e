import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { EncryptionCodec } from "../codec/encryption-codec";
import { ConfigurationError, EXIT_CONFIGURATION } from "../config";
import { retry } from "../connection";
import { causeChain } from "../errors";
import { startHealthServer } from "../health";
import { createLogger } from "../logger";
import type { Logger } from "../logger";
import { createAuthenticator } from "./authentication";
import { loadCodecServerConfig } from "./config";
import type { CodecServerConfig } from "./config";
import { codecRequests } from "./requests";

/** What a codec server is started with. */
export interface CodecServerOptions {
  /** Settings, usually `process.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborting it ends the server once the requests under way are answered. */
  readonly stop: AbortSignal;
  /** Where log lines go. Default: standard output. */
  readonly createLogger?: typeof createLogger;
}

/** Time to get the issuer's keys for the first time, in ms; then the process ends, visibly. */
const GIVE_UP_MS = 300_000;
/** Time for requests under way at the stop, in ms; less than the pod's grace period. */
const DRAIN_MS = 10_000;
/** Longer than ingress controllers keep idle connections (60 s), so that none is closed while they reuse it. */
const KEEP_ALIVE_MS = 75_000;
const MAX_CONNECTIONS = 256;

/**
 * Runs the codec server until it is told to stop.
 *
 * @returns the exit code of the process: 0 stopped, 1 failed, 78 wrong settings
 */
export async function runCodecServer(options: CodecServerOptions): Promise<number> {
  const { environment, stop, createLogger: newLogger = createLogger } = options;
  let config: CodecServerConfig;
  try {
    config = loadCodecServerConfig(environment);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    newLogger("info").fatal({ problems: error.problems }, "invalid configuration");
    return EXIT_CONFIGURATION;
  }
  const logger = newLogger(config.logLevel);
  try {
    await serve(config, stop, logger);
    logger.info("stopped");
    return 0;
  } catch (error) {
    if (stop.aborted && error === stop.reason) {
      logger.info({ reason: causeChain(error) }, "stopped before anything was served");
      return 0;
    }
    logger.fatal({ error }, "the codec server failed");
    return 1;
  }
}

async function serve(config: CodecServerConfig, stop: AbortSignal, logger: Logger): Promise<void> {
  let phase: "starting" | "listening" | "serving" = "starting";
  const health = await startHealthServer(config.healthPort, {
    "/startupz": () => ({ ok: phase !== "starting", phase }),
    "/livez": () => ({ ok: true, phase }),
    "/readyz": () => ({ ok: phase === "serving" && !stop.aborted, phase }),
  });
  const authenticator = createAuthenticator(config.authentication);
  const codec = new EncryptionCodec(config.keyring);
  const server = createServer(
    { headersTimeout: 5000, requestTimeout: 20_000, keepAliveTimeout: KEEP_ALIVE_MS },
    codecRequests({ codec, authenticator, uiOrigin: config.uiOrigin, logger, stop }),
  );
  server.maxConnections = MAX_CONNECTIONS;
  try {
    await once(server.listen(config.port), "listening");
    phase = "listening";
    await retry(() => authenticator.prepare(), {
      giveUpMs: GIVE_UP_MS,
      signal: stop,
      onRetry: (error, retryInMs) => logger.warn({ error, retryInMs }, "cannot get the issuer's keys"),
    });
    phase = "serving";
    logger.info({ port: config.port, authentication: config.authentication.mode }, "serving");
    if (!stop.aborted) await once(stop, "abort");
    logger.info({ reason: causeChain(stop.reason) }, "draining");
    await drain(server);
  } finally {
    for (const each of [server, health]) {
      each.close();
      each.closeAllConnections();
    }
  }
}

async function drain(server: Server): Promise<void> {
  const closed = once(server.close(), "close");
  const force = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(force);
}
