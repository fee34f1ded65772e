import { proxyActivities, TemporalFailure } from "@temporalio/workflow";
import type { Activities, ShipRequest } from "../activities/types";
import { object, text } from "../domain/validation";
import { compensation, Compensations } from "./support/compensations";
import { refuseInvalid } from "./support/refusal";
import { declareVersioning } from "./support/versioning";

// One attempt stays well below the worker's shutdown grace (30 s), so that a draining worker lets it finish.
const { ship } = proxyActivities<Activities>({
  startToCloseTimeout: "20 s",
  scheduleToCloseTimeout: "1 h",
  retry: {
    initialInterval: "2 s",
    backoffCoefficient: 2,
    maximumInterval: "5 min",
    nonRetryableErrorTypes: ["AddressRejected", "RequestVoided"],
  },
});

// Carriers collect within days. The heartbeat timeout is how long the parcel goes unwatched when a worker is lost.
const { followParcel } = proxyActivities<Activities>({
  startToCloseTimeout: "7 days",
  scheduleToCloseTimeout: "7 days",
  heartbeatTimeout: "10 s",
  cancellationType: "WAIT_CANCELLATION_COMPLETED",
  retry: { initialInterval: "1 s", backoffCoefficient: 2, maximumInterval: "1 min" },
});

/** As far as this workflow looks into it; addresses are the carrier's business. */
const requestCheck = object({ idempotencyKey: text, address: object({}) });

/** What a shipment ended with. */
export interface Shipped {
  readonly trackingNumber: string;
}

/**
 * Hands one parcel to the carrier and follows it until the carrier has taken it over. Cancelled before that, also
 * because its order has closed, it recalls the parcel; a parcel that was taken over meanwhile counts as shipped.
 *
 * @throws ActivityFailure caused by `AddressRejected` when the carrier refuses, or by a step that ran out of time;
 * ApplicationFailure `InvalidShipment` when the request is none, `CompensationFailed` when the parcel could not be
 * recalled
 */
export async function shipment(request: ShipRequest): Promise<Shipped> {
  refuseInvalid("InvalidShipment", requestCheck(request, ""));
  const compensations = new Compensations();
  try {
    compensations.add("ship", () => compensation.recall({ idempotencyKey: request.idempotencyKey }));
    const { trackingNumber } = await ship(request);
    await followParcel({ trackingNumber });
    return { trackingNumber };
  } catch (error) {
    // Anything else is a bug: it fails the workflow task, and the workflow goes on once the code is mended.
    if (!(error instanceof TemporalFailure)) throw error;
    await compensations.run();
    throw error;
  }
}

// A parcel is on its way for hours, less than a version stays deployed; a child begins on its parent's version.
declareVersioning("PINNED", shipment);
