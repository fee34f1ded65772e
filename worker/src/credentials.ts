import type { Worker } from "@temporalio/worker";
import type { WorkerConfig } from "./config";
import { diagnose } from "./diagnosis";
import type { Frontend } from "./frontend";
import type { Logger } from "./logger";

/** Time between two looks at the files of the connection, in ms; the kubelet takes about a minute to renew them. */
const CREDENTIALS_INTERVAL_MS = 10_000;

/**
 * Takes over certificates and API key that change on disk, without a restart.
 *
 * @returns ends it
 */
export function followCredentials(
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
