import { createHash } from "node:crypto";
import { NativeConnection } from "@temporalio/worker";
import { connectionOptions } from "./config";
import type { ConnectionOptions, WorkerConfig } from "./config";
import { openWithin, orAborted } from "./connection";

const HEALTH_SERVICE = "temporal.api.workflowservice.v1.WorkflowService";
/** Time for one cheap request, in ms. */
const REQUEST_DEADLINE_MS = 5000;

type FrontendConfig = Pick<WorkerConfig, "connection" | "namespace" | "connect">;

/**
 * The one connection of a process to Temporal. It is opened anew when certificates or API key change on disk: a
 * connection keeps those that it was made with.
 */
export class Frontend {
  private constructor(
    private readonly config: FrontendConfig,
    private current: NativeConnection,
    private credentials: string,
  ) {}

  /**
   * One attempt to connect, with proof that the namespace is there and may be used.
   *
   * @throws what the SDK throws; see `diagnose`
   */
  static async open(config: FrontendConfig, signal: AbortSignal): Promise<Frontend> {
    const options = connectionOptions(config.connection);
    return new Frontend(config, await connect(options, config, signal), fingerprint(options));
  }

  get connection(): NativeConnection {
    return this.current;
  }

  /** Rejects when Temporal does not answer. */
  async probe(): Promise<void> {
    await withinDeadline(this.current, ({ healthService }) =>
      healthService.check({ service: HEALTH_SERVICE }),
    );
  }

  /**
   * Opens another connection if the credentials on disk have changed.
   *
   * @param use takes the new connection over; the old one is closed after it
   * @returns whether there is a new connection
   * @throws when the new credentials do not work; the connection stays as it was
   */
  async renew(signal: AbortSignal, use: (connection: NativeConnection) => void): Promise<boolean> {
    const options = connectionOptions(this.config.connection);
    const credentials = fingerprint(options);
    if (credentials === this.credentials) return false;
    const renewed = await connect(options, this.config, signal);
    const previous = this.current;
    use(renewed);
    this.current = renewed;
    this.credentials = credentials;
    await closeQuietly(previous);
    return true;
  }

  close(): Promise<void> {
    return closeQuietly(this.current);
  }
}

/** A worker that was stopped by force still holds its connection; the process ends anyway. */
const closeQuietly = (connection: NativeConnection): Promise<void> =>
  connection.close().catch(() => undefined);

function withinDeadline<T>(
  connection: NativeConnection,
  request: (connection: NativeConnection) => Promise<T>,
): Promise<T> {
  return connection.withDeadline(Date.now() + REQUEST_DEADLINE_MS, () => request(connection));
}

async function connect(
  options: ConnectionOptions,
  { namespace, connect: { attemptSeconds } }: FrontendConfig,
  signal: AbortSignal,
): Promise<NativeConnection> {
  const connection = await openWithin(
    () => NativeConnection.connect(options),
    closeQuietly,
    attemptSeconds * 1000,
    signal,
  );
  try {
    const described = withinDeadline(connection, ({ workflowService }) =>
      workflowService.describeNamespace({ namespace }),
    );
    await orAborted(described, signal);
    return connection;
  } catch (error) {
    await closeQuietly(connection);
    throw error;
  }
}

function fingerprint(options: ConnectionOptions): string {
  return createHash("sha256").update(JSON.stringify(options)).digest("hex");
}
