import type { CarrierGateway } from "../domain/gateways";
import { withTypedFailures } from "./failures";
import type { OrderActivities } from "./types";

/** The activities that touch the carrier. */
export function shippingActivities(carrier: CarrierGateway): Pick<OrderActivities, "ship" | "recall"> {
  return {
    ship: ({ idempotencyKey, ...parcel }) => withTypedFailures(() => carrier.ship(idempotencyKey, parcel)),
    recall: ({ idempotencyKey }) => withTypedFailures(() => carrier.recall(idempotencyKey)),
  };
}
