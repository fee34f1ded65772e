import type { InventoryGateway } from "../domain/gateways";
import { withTypedFailures } from "./failures";
import type { OrderActivities } from "./types";

/** The activities that touch the warehouse. */
export function inventoryActivities(
  inventory: InventoryGateway,
): Pick<OrderActivities, "reserve" | "release"> {
  return {
    reserve: ({ idempotencyKey, lines }) => withTypedFailures(() => inventory.reserve(idempotencyKey, lines)),
    release: ({ idempotencyKey }) => withTypedFailures(() => inventory.release(idempotencyKey)),
  };
}
