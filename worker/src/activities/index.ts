import type { Gateways } from "../domain/gateways";
import { inventoryActivities } from "./inventory";
import { paymentActivities } from "./payment";
import { shippingActivities } from "./shipping";
import type { OrderActivities } from "./types";

/** All activities of this worker, bound to the gateways they use. */
export function createActivities(gateways: Gateways): OrderActivities {
  return {
    ...inventoryActivities(gateways.inventory),
    ...paymentActivities(gateways.payment),
    ...shippingActivities(gateways.carrier),
  };
}
