import { setTimeout as delay } from "node:timers/promises";
import { Client, Connection } from "@temporalio/client";
import type { WorkflowClient } from "@temporalio/client";
import { createDataConverter } from "./codec/data-converter";
import { connectionOptions } from "./config";
import type { ClientConfig } from "./config";
import { causeChain } from "./errors";
import { startTracing } from "./tracing";
import type { Tracing } from "./tracing";

/** Longest wait for the last spans to be sent, in ms. */
const FLUSH_MS = 5000;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]):/;

/** How a workflow ended, as somebody who waited for it knows. */
export type Ended<Result> =
  | { readonly status: "completed"; readonly result: Result }
  | {
      readonly status: "failed";
      /** The failure and its causes, outermost first. */
      readonly failure: readonly string[];
    };

/** A client of Temporal that connects, encrypts and traces as the worker of the same settings does. */
export class TemporalClient {
  private constructor(
    private readonly connection: Connection,
    readonly workflow: WorkflowClient,
    /** Where its workflows run. */
    readonly taskQueue: string,
    private readonly tracing: Tracing | undefined,
  ) {}

  /**
   * @param config traces the calls if it says so
   * @throws when Temporal cannot be reached within 10 s
   */
  static async connect(config: ClientConfig): Promise<TemporalClient> {
    const connection = await Connection.connect({
      ...connectionOptions(config.connection),
      // gRPC sends even requests to this machine through a proxy that the environment names.
      ...(LOOPBACK.test(config.connection.address) ? { channelArgs: { "grpc.enable_http_proxy": 0 } } : {}),
    });
    const dataConverter = createDataConverter(config.keyring, config.encryption);
    const tracing = await startTracing(
      config.tracing,
      { "service.name": "temporal-client" },
      {
        onExportLost: (error) => console.error(`spans cannot be exported: ${causeChain(error).join(" <- ")}`),
        onExportRestored: () => undefined,
      },
    );
    const { workflow } = new Client({
      connection,
      namespace: config.namespace,
      dataConverter,
      ...(tracing === undefined ? {} : { interceptors: tracing.clientInterceptors() }),
    });
    return new TemporalClient(connection, workflow, config.taskQueues[0], tracing);
  }

  /**
   * Waits until a workflow has ended, whatever it continues as.
   *
   * @param timeoutSeconds longest wait; the workflow itself goes on
   */
  async ended<Result>(workflowId: string, timeoutSeconds: number): Promise<Ended<Result>> {
    const timer = new AbortController();
    const timeout = delay(timeoutSeconds * 1000, undefined, { signal: timer.signal }).then(() => {
      throw new Error(
        `not ended within ${timeoutSeconds} s; is a worker polling task queue ${this.taskQueue}?`,
      );
    });
    try {
      const handle = this.workflow.getHandle<() => Promise<Result>>(workflowId);
      return { status: "completed", result: await Promise.race([handle.result(), timeout]) };
    } catch (error) {
      return { status: "failed", failure: causeChain(error) };
    } finally {
      timer.abort();
      timeout.catch(() => undefined);
    }
  }

  /** Closes the connection, and waits up to 5 s until the spans are sent. */
  async close(): Promise<void> {
    await this.connection.close();
    await this.tracing?.stop(FLUSH_MS);
  }
}
