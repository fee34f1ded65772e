import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  executeChild,
  isCancellation,
  log,
  patched,
  proxyActivities,
  setHandler,
  sleep,
  TemporalFailure,
  uuid4,
  workflowInfo,
} from "@temporalio/workflow";
import type { Activities } from "../activities/types";
import { BUSINESS_FAILURES } from "../domain/errors";
import {
  addressProblems,
  approvalProblems,
  APPROVAL_TIMEOUT_SECONDS,
  cancellationReason,
  idempotencyKey,
  isAddressOpen,
  isCancellable,
  needsApproval,
  orderProblems,
  orderTotalMinor,
} from "../domain/order";
import type { Order, OrderConfirmation, OrderStatus } from "../domain/order";
import { approveOrder, cancelOrder, changeAddress, orderStatus } from "../messages";
import { shipment } from "./shipment";
import { COMPENSATION_FAILED, compensation, Compensations } from "./support/compensations";
import { refuseInvalid } from "./support/refusal";
import { declareVersioning } from "./support/versioning";

// One attempt stays well below the worker's shutdown grace (30 s), so that a draining worker lets it finish.
const inventory = proxyActivities<Activities>({
  startToCloseTimeout: "10 s",
  scheduleToCloseTimeout: "5 min",
  retry: {
    initialInterval: "1 s",
    backoffCoefficient: 2,
    maximumInterval: "30 s",
    nonRetryableErrorTypes: ["OutOfStock", "RequestVoided"],
  },
});

const payment = proxyActivities<Activities>({
  startToCloseTimeout: "20 s",
  scheduleToCloseTimeout: "15 min",
  retry: {
    initialInterval: "2 s",
    backoffCoefficient: 2,
    maximumInterval: "1 min",
    nonRetryableErrorTypes: ["CardDeclined", "RequestVoided"],
  },
});

// Somebody waits for the answer.
const { checkAddress } = proxyActivities<Activities>({
  startToCloseTimeout: "5 s",
  scheduleToCloseTimeout: "30 s",
  retry: { initialInterval: "500 ms", nonRetryableErrorTypes: ["AddressRejected"] },
});

const { recordPurchase } = proxyActivities<Activities>({
  startToCloseTimeout: "10 s",
  scheduleToCloseTimeout: "1 day",
  retry: { initialInterval: "1 s", backoffCoefficient: 2, maximumInterval: "10 min" },
});

const FAILURE_TYPES: readonly string[] = [...BUSINESS_FAILURES, COMPENSATION_FAILED];

/** The failure at the bottom: that of an activity is wrapped once, that of a child workflow's activity twice. */
function rootFailure(error: Error): Error {
  return error.cause instanceof Error ? rootFailure(error.cause) : error;
}

function orderFailure(orderId: string, error: TemporalFailure): ApplicationFailure {
  const reason = rootFailure(error);
  return ApplicationFailure.create({
    type:
      reason instanceof ApplicationFailure
        ? (FAILURE_TYPES.find((type) => type === reason.type) ?? "FulfilmentFailed")
        : "FulfilmentFailed",
    message: `order ${orderId} was not fulfilled and has been taken back`,
    nonRetryable: true,
    details: reason instanceof ApplicationFailure ? (reason.details ?? []) : [],
    cause: error,
  });
}

/**
 * What told the steps of a run from those of others before `RUN_KEYS`: nothing. Orders that began then keep their
 * keys, or their compensations would name steps that the gateways do not know.
 */
const RUN_KEYS = "idempotency-keys-of-the-run";

/**
 * Fulfils one order: reserve the goods, charge the card, wait for an approval if the order is large, wait for the
 * warehouse, ship. If a step fails for good, or the order is cancelled, everything done so far is compensated. The
 * workflow's id is the order's id; what it can be told and asked is in `messages.ts`.
 *
 * @throws ApplicationFailure of a type from `BUSINESS_FAILURES` when the business refuses, nobody approves or the
 * customer cancels; `FulfilmentFailed` when a step ran out of time; `CompensationFailed` when a step could not be
 * compensated
 */
export async function order(input: Order): Promise<OrderConfirmation> {
  const orderId = workflowInfo().workflowId;
  // Drawn by the workflow, not its run id: a reset goes on with the keys that it has used.
  const run = patched(RUN_KEYS) ? uuid4() : undefined;
  // One that began earlier has passed the checks of its time.
  if (run !== undefined) refuseInvalid("InvalidOrder", orderProblems(input));

  const keyOf = (step: string): { idempotencyKey: string } => ({
    idempotencyKey: run === undefined ? `${orderId}/${step}` : idempotencyKey(orderId, run, step),
  });
  const { customerId, lines, currency, cardToken } = input;
  const totalMinor = orderTotalMinor(input);
  const compensations = new Compensations();
  const fulfilment = new CancellationScope();
  let status: OrderStatus = { phase: "reserving", totalMinor, currency, address: input.address };
  let cancellation: { readonly reason: string } | undefined;
  let checkingAddress = false;
  const enter = (phase: OrderStatus["phase"]): void => {
    status = { ...status, phase };
  };

  setHandler(orderStatus, () => status);
  setHandler(cancelOrder, (request?: unknown) => {
    if (!isCancellable(status.phase)) {
      log.info("too late to cancel", { phase: status.phase });
      return;
    }
    cancellation ??= { reason: cancellationReason(request) };
    fulfilment.cancel();
  });
  setHandler(
    approveOrder,
    ({ approvedBy }) => {
      status = { ...status, phase: "preparing", approvedBy };
      return status;
    },
    {
      validator: (approval) =>
        refuseInvalid("ApprovalRefused", [
          ...approvalProblems(approval),
          ...(status.phase === "awaitingApproval"
            ? []
            : [`the order does not wait for one: ${status.phase}`]),
        ]),
    },
  );
  const addressClosed = (): string[] =>
    isAddressOpen(status.phase) ? [] : [`too late to change the address: ${status.phase}`];
  setHandler(
    changeAddress,
    async (address) => {
      checkingAddress = true;
      try {
        await checkAddress({ address });
      } finally {
        checkingAddress = false;
      }
      refuseInvalid("AddressChangeRefused", addressClosed());
      status = { ...status, address };
      return status;
    },
    {
      validator: (address) =>
        refuseInvalid("AddressChangeRefused", [
          ...addressProblems(address),
          ...addressClosed(),
          ...(checkingAddress ? ["another change of address is being checked"] : []),
        ]),
    },
  );

  const fulfil = async (): Promise<OrderConfirmation> => {
    compensations.add("reserve", () => compensation.release(keyOf("reserve")));
    const { reservationId } = await inventory.reserve({ ...keyOf("reserve"), lines });

    enter("charging");
    compensations.add("charge", () => compensation.refund(keyOf("charge")));
    const { chargeId } = await payment.charge({
      ...keyOf("charge"),
      amountMinor: totalMinor,
      currency,
      cardToken,
    });

    if (needsApproval(totalMinor)) {
      enter("awaitingApproval");
      const timeoutSeconds = input.approvalTimeoutSeconds ?? APPROVAL_TIMEOUT_SECONDS;
      if (!(await condition(() => status.approvedBy !== undefined, timeoutSeconds * 1000))) {
        throw ApplicationFailure.create({
          type: "ApprovalTimedOut",
          message: `nobody approved the order within ${timeoutSeconds} s`,
          nonRetryable: true,
        });
      }
    }

    enter("preparing");
    const delaySeconds = input.fulfilmentDelaySeconds ?? 0;
    if (delaySeconds > 0) await sleep(delaySeconds * 1000);
    await condition(() => !checkingAddress);

    enter("shipping");
    // The shipment recalls its parcel itself, unless somebody terminated it.
    compensations.add("ship", () => compensation.recall(keyOf("ship")));
    const { trackingNumber } = await executeChild(shipment, {
      workflowId: `${orderId}/shipment`,
      args: [{ ...keyOf("ship"), address: status.address, lines }],
      parentClosePolicy: "REQUEST_CANCEL",
    });

    enter("shipped");
    return { orderId, reservationId, chargeId, trackingNumber, totalMinor, currency };
  };

  try {
    const confirmation = await fulfilment.run(fulfil);
    // From here on nothing is compensated: the parcel is with the carrier.
    await CancellationScope.nonCancellable(async () => {
      if (input.collectsPoints === true) {
        const purchaseId = run === undefined ? orderId : `${orderId}/${run}`;
        await recordPurchase({ customerId, orderId: purchaseId, totalMinor }).catch((error: unknown) => {
          log.error("the purchase brings no points", { error });
        });
      }
      await condition(allHandlersFinished);
    });
    return confirmation;
  } catch (error) {
    // Anything else is a bug: it fails the workflow task, and the workflow goes on once the code is mended.
    if (!(error instanceof TemporalFailure)) throw error;
    enter("takingBack");
    try {
      await compensations.run();
      enter("takenBack");
    } finally {
      await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
    }
    if (!isCancellation(error)) throw orderFailure(orderId, error);
    if (cancellation === undefined) throw error;
    throw ApplicationFailure.create({
      type: "OrderCancelled",
      message: `order ${orderId} was cancelled and has been taken back: ${cancellation.reason}`,
      nonRetryable: true,
      details: [cancellation],
    });
  }
}

// Nearly every order ends within minutes. One that is delayed keeps its version's pods running until it has ended,
// which is cheaper than keeping every change of this saga replayable.
declareVersioning("PINNED", order);
