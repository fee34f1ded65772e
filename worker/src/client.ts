import { setTimeout as delay } from "node:timers/promises";
import { Client, Connection } from "@temporalio/client";
import { createDataConverter } from "./codec/data-converter";
import { connectionOptions } from "./config";
import type { ClientConfig } from "./config";
import type { Order, OrderConfirmation, OrderStatus } from "./domain/order";
import { causeChain } from "./errors";
import { approveOrder, cancelOrder, orderStatus } from "./messages";
import { startTracing } from "./tracing";
import type { Tracing } from "./tracing";
import type { order as orderWorkflow } from "./workflows";

/** How one order ended. */
export type OrderOutcome = { readonly workflowId: string } & (
  | { readonly status: "completed"; readonly durationMs: number; readonly result: OrderConfirmation }
  | {
      readonly status: "failed";
      /** Undefined when the workflow has not ended, or there is none. */
      readonly durationMs: number | undefined;
      /** The failure and its causes, outermost first. */
      readonly failure: readonly string[];
    }
);

/** Longest wait for the last spans to be sent, in ms. */
const FLUSH_MS = 5000;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]):/;

/** Starts order workflows, talks to them and waits for them, with the encryption that their worker uses. */
export class OrderClient {
  private constructor(
    private readonly connection: Connection,
    private readonly client: Client,
    private readonly taskQueue: string,
    private readonly tracing: Tracing | undefined,
  ) {}

  /**
   * @param config traces the calls if it says so
   * @throws when Temporal cannot be reached within 10 s
   */
  static async connect(config: ClientConfig): Promise<OrderClient> {
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
    const client = new Client({
      connection,
      namespace: config.namespace,
      dataConverter,
      ...(tracing === undefined ? {} : { interceptors: tracing.clientInterceptors() }),
    });
    return new OrderClient(connection, client, config.taskQueues[0], tracing);
  }

  /** Starts one order; its id is the workflow's id. A running workflow of the same id is an error. */
  async start(orderId: string, order: Order): Promise<void> {
    await this.client.workflow.start<typeof orderWorkflow>("order", {
      workflowId: orderId,
      taskQueue: this.taskQueue,
      args: [order],
    });
  }

  /** Where the order is, by its worker's own account; also after its end. */
  status(orderId: string): Promise<OrderStatus> {
    return this.client.workflow.getHandle<typeof orderWorkflow>(orderId).query(orderStatus);
  }

  /** Approves a large order. @throws WorkflowUpdateFailedError when the order does not wait for it */
  approve(orderId: string, approvedBy: string): Promise<OrderStatus> {
    return this.client.workflow
      .getHandle<typeof orderWorkflow>(orderId)
      .executeUpdate(approveOrder, { args: [{ approvedBy }] });
  }

  /** Asks for the order to be cancelled; whether it was in time, its outcome tells. */
  cancel(orderId: string, reason: string): Promise<void> {
    return this.client.workflow.getHandle<typeof orderWorkflow>(orderId).signal(cancelOrder, { reason });
  }

  /**
   * Waits until the order has ended.
   *
   * @param timeoutSeconds longest wait; the workflow itself goes on
   */
  async outcome(orderId: string, timeoutSeconds: number): Promise<OrderOutcome> {
    const handle = this.client.workflow.getHandle<typeof orderWorkflow>(orderId);
    const timer = new AbortController();
    const timeout = delay(timeoutSeconds * 1000, undefined, { signal: timer.signal }).then(() => {
      throw new Error(
        `not ended within ${timeoutSeconds} s; is a worker polling task queue ${this.taskQueue}?`,
      );
    });
    try {
      const result = await Promise.race([handle.result(), timeout]);
      return {
        workflowId: orderId,
        status: "completed",
        durationMs: (await this.durationMs(orderId)) ?? 0,
        result,
      };
    } catch (error) {
      const durationMs = await this.durationMs(orderId).catch(() => undefined);
      return { workflowId: orderId, status: "failed", durationMs, failure: causeChain(error) };
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

  private async durationMs(orderId: string): Promise<number | undefined> {
    const { startTime, closeTime } = await this.client.workflow.getHandle(orderId).describe();
    return closeTime === undefined ? undefined : closeTime.getTime() - startTime.getTime();
  }
}
