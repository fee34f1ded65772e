import { createHash } from "node:crypto";
import { NativeConnection } from "@temporalio/worker";
import { connectionOptions } from "./config";
import type { ConnectionOptions, WorkerConfig } from "./config";
import { openWithin, orAborted } from "./connection";

/** https://grpc.io/docs/guides/status-codes */
const RESOURCE_EXHAUSTED = 8;
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
   * One attempt to connect.
   *
   * @throws what the SDK throws; see `diagnose`
   */
  static async open(config: FrontendConfig, signal: AbortSignal): Promise<Frontend> {
    const options = connectionOptions(config.connection);
    return new Frontend(config, await connect(options, config, signal), fingerprint(options));
  }

  /**
   * The same with proof that the namespace is there and may be used. The SDK finds that out by itself when it makes a
   * worker, but a worker that it fails to make leaves its thread behind.
   */
  static async openProven(config: FrontendConfig, signal: AbortSignal): Promise<Frontend> {
    const options = connectionOptions(config.connection);
    return new Frontend(config, await connectProven(options, config, signal), fingerprint(options));
  }

  get connection(): NativeConnection {
    return this.current;
  }

  /**
   * Rejects when Temporal does not answer, or does not let this client use the namespace. The question names the
   * namespace: Temporal Cloud refuses those that do not, such as the standard health check.
   */
  async probe(): Promise<void> {
    try {
      await describeNamespace(this.current, this.config.namespace);
    } catch (error) {
      if (!isThrottled(error)) throw error;
    }
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
    const renewed = await connectProven(options, this.config, signal);
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

async function describeNamespace(connection: NativeConnection, namespace: string): Promise<void> {
  await connection.withDeadline(Date.now() + REQUEST_DEADLINE_MS, () =>
    connection.workflowService.describeNamespace({ namespace }),
  );
}

/** An answer, too: from a server that has more to do than it may. */
const isThrottled = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === RESOURCE_EXHAUSTED;

function connect(
  options: ConnectionOptions,
  { connect: { attemptSeconds } }: FrontendConfig,
  signal: AbortSignal,
): Promise<NativeConnection> {
  return openWithin(() => NativeConnection.connect(options), closeQuietly, attemptSeconds * 1000, signal);
}

async function connectProven(
  options: ConnectionOptions,
  config: FrontendConfig,
  signal: AbortSignal,
): Promise<NativeConnection> {
  const connection = await connect(options, config, signal);
  try {
    await orAborted(describeNamespace(connection, config.namespace), signal);
    return connection;
  } catch (error) {
    await closeQuietly(connection);
    throw error;
  }
}

function fingerprint(options: ConnectionOptions): string {
  return createHash("sha256").update(JSON.stringify(options)).digest("hex");
}
