import type { Gateways } from "../domain/gateways";
import { canaryActivities } from "./canary";
import { inventoryActivities } from "./inventory";
import { loyaltyActivities } from "./loyalty";
import { paymentActivities } from "./payment";
import { shippingActivities } from "./shipping";
import type { Activities } from "./types";

/** All activities of this worker, bound to the gateways they use. */
export function createActivities(gateways: Gateways): Activities {
  return {
    ...inventoryActivities(gateways.inventory),
    ...paymentActivities(gateways.payment),
    ...shippingActivities(gateways.carrier),
    ...loyaltyActivities(),
    ...canaryActivities(),
  };
}
