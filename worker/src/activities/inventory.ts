import type { InventoryGateway } from "../domain/gateways";
import { withTypedFailures } from "./failures";
import type { InventoryActivities } from "./types";

/** The activities that touch the warehouse. */
export function inventoryActivities(inventory: InventoryGateway): InventoryActivities {
  return {
    reserve: ({ idempotencyKey, lines }) => withTypedFailures(() => inventory.reserve(idempotencyKey, lines)),
    release: ({ idempotencyKey }) => withTypedFailures(() => inventory.release(idempotencyKey)),
  };
}
