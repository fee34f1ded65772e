import type { WorkflowHandle } from "@temporalio/client";
import type { ClientConfig } from "./config";
import type { Order, OrderConfirmation, OrderStatus } from "./domain/order";
import { approveOrder, cancelOrder, orderStatus } from "./messages";
import { TemporalClient } from "./temporal-client";
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

/** Starts order workflows, talks to them and waits for them, with the encryption that their worker uses. */
export class OrderClient {
  private constructor(private readonly temporal: TemporalClient) {}

  /** @throws as {@link TemporalClient.connect} */
  static async connect(config: ClientConfig): Promise<OrderClient> {
    return new OrderClient(await TemporalClient.connect(config));
  }

  /** Starts one order; its id is the workflow's id. A running workflow of the same id is an error. */
  async start(orderId: string, order: Order): Promise<void> {
    const { workflow, taskQueue } = this.temporal;
    await workflow.start<typeof orderWorkflow>("order", { workflowId: orderId, taskQueue, args: [order] });
  }

  /** Where the order is, by its worker's own account; also after its end. */
  status(orderId: string): Promise<OrderStatus> {
    return this.handle(orderId).query(orderStatus);
  }

  /** Approves a large order. @throws WorkflowUpdateFailedError when the order does not wait for it */
  approve(orderId: string, approvedBy: string): Promise<OrderStatus> {
    return this.handle(orderId).executeUpdate(approveOrder, { args: [{ approvedBy }] });
  }

  /** Asks for the order to be cancelled; whether it was in time, its outcome tells. */
  cancel(orderId: string, reason: string): Promise<void> {
    return this.handle(orderId).signal(cancelOrder, { reason });
  }

  /**
   * Waits until the order has ended.
   *
   * @param timeoutSeconds longest wait; the workflow itself goes on
   */
  async outcome(orderId: string, timeoutSeconds: number): Promise<OrderOutcome> {
    const ended = await this.temporal.ended<OrderConfirmation>(orderId, timeoutSeconds);
    const durationMs = await this.durationMs(orderId).catch(() => undefined);
    return ended.status === "completed"
      ? { workflowId: orderId, ...ended, durationMs: durationMs ?? 0 }
      : { workflowId: orderId, ...ended, durationMs };
  }

  /** Closes the connection, and waits up to 5 s until the spans are sent. */
  close(): Promise<void> {
    return this.temporal.close();
  }

  private handle(orderId: string): WorkflowHandle<typeof orderWorkflow> {
    return this.temporal.workflow.getHandle<typeof orderWorkflow>(orderId);
  }

  private async durationMs(orderId: string): Promise<number | undefined> {
    const { startTime, closeTime } = await this.handle(orderId).describe();
    return closeTime === undefined ? undefined : closeTime.getTime() - startTime.getTime();
  }
}
