import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  proxyActivities,
  sleep,
  TemporalFailure,
  workflowInfo,
} from "@temporalio/workflow";
import type { OrderActivities } from "../activities/types";
import { BUSINESS_FAILURES } from "../domain/errors";
import { idempotencyKey, orderProblems, orderTotalMinor } from "../domain/order";
import type { Order, OrderConfirmation } from "../domain/order";
import { Compensations } from "./compensations";

// One attempt stays well below the worker's shutdown grace (30 s), so that a draining worker lets it finish.
const inventory = proxyActivities<OrderActivities>({
  startToCloseTimeout: "10 s",
  scheduleToCloseTimeout: "5 min",
  retry: {
    initialInterval: "1 s",
    backoffCoefficient: 2,
    maximumInterval: "30 s",
    nonRetryableErrorTypes: ["OutOfStock", "RequestVoided"],
  },
});

const payment = proxyActivities<OrderActivities>({
  startToCloseTimeout: "20 s",
  scheduleToCloseTimeout: "15 min",
  retry: {
    initialInterval: "2 s",
    backoffCoefficient: 2,
    maximumInterval: "1 min",
    nonRetryableErrorTypes: ["CardDeclined", "RequestVoided"],
  },
});

const shipping = proxyActivities<OrderActivities>({
  startToCloseTimeout: "20 s",
  scheduleToCloseTimeout: "1 h",
  retry: {
    initialInterval: "2 s",
    backoffCoefficient: 2,
    maximumInterval: "5 min",
    nonRetryableErrorTypes: ["AddressRejected", "RequestVoided"],
  },
});

// Giving up on a compensation costs a person's work, so it outlasts a long outage of the other side.
const compensation = proxyActivities<OrderActivities>({
  startToCloseTimeout: "20 s",
  scheduleToCloseTimeout: "7 days",
  retry: {
    initialInterval: "1 s",
    backoffCoefficient: 2,
    maximumInterval: "10 min",
    nonRetryableErrorTypes: [],
  },
});

function orderFailure(orderId: string, error: TemporalFailure): ApplicationFailure {
  const reason = error instanceof ActivityFailure ? error.cause : error;
  const business =
    reason instanceof ApplicationFailure ? BUSINESS_FAILURES.find((type) => type === reason.type) : undefined;
  return ApplicationFailure.create({
    type: business ?? "FulfilmentFailed",
    message: `order ${orderId} was not fulfilled and has been taken back`,
    nonRetryable: true,
    details: reason instanceof ApplicationFailure ? (reason.details ?? []) : [],
    cause: error,
  });
}

/**
 * Fulfils one order: reserve the goods, charge the card, wait for the warehouse, ship. If a step fails for good,
 * or the workflow is cancelled, everything done so far is taken back. The workflow's id is the order's id.
 *
 * @throws ApplicationFailure of a type from `BUSINESS_FAILURES` when the business refuses; `FulfilmentFailed`
 * when a step ran out of time; `CompensationFailed` when a step could not be taken back
 */
export async function order(input: Order): Promise<OrderConfirmation> {
  const problems = orderProblems(input);
  if (problems.length > 0) {
    throw ApplicationFailure.create({
      type: "InvalidOrder",
      message: problems.join("; "),
      nonRetryable: true,
      details: [{ problems }],
    });
  }

  const orderId = workflowInfo().workflowId;
  const keyOf = (step: string): { idempotencyKey: string } => ({
    idempotencyKey: idempotencyKey(orderId, step),
  });
  const { lines, currency, cardToken, address } = input;
  const amountMinor = orderTotalMinor(input);
  const compensations = new Compensations();

  try {
    compensations.add("reserve", () => compensation.release(keyOf("reserve")));
    const { reservationId } = await inventory.reserve({ ...keyOf("reserve"), lines });

    compensations.add("charge", () => compensation.refund(keyOf("charge")));
    const { chargeId } = await payment.charge({ ...keyOf("charge"), amountMinor, currency, cardToken });

    const delaySeconds = input.fulfilmentDelaySeconds ?? 0;
    if (delaySeconds > 0) await sleep(delaySeconds * 1000);

    compensations.add("ship", () => compensation.recall(keyOf("ship")));
    const { trackingNumber } = await shipping.ship({ ...keyOf("ship"), address, lines });

    return { orderId, reservationId, chargeId, trackingNumber, totalMinor: amountMinor, currency };
  } catch (error) {
    // Anything else is a bug: it fails the workflow task, and the workflow goes on once the code is mended.
    if (!(error instanceof TemporalFailure)) throw error;
    await compensations.run();
    throw isCancellation(error) ? error : orderFailure(orderId, error);
  }
}
