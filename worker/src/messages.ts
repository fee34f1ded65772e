import { defineQuery, defineSignal, defineUpdate } from "@temporalio/workflow";
import type { LoyaltyAccount, Purchase } from "./domain/loyalty";
import type { Address, OrderStatus } from "./domain/order";

/** Cancels an order, also without a reason: it is compensated. Without effect once the carrier has taken the parcel over. */
export const cancelOrder = defineSignal<[{ readonly reason: string }]>("cancelOrder");

/** Approves an order that waits for it. Refused when the order does not wait, or nobody is named. */
export const approveOrder = defineUpdate<OrderStatus, [{ readonly approvedBy: string }]>("approveOrder");

/**
 * Sends the parcel elsewhere. Refused when it is too late, when the address is malformed and while another change
 * is being checked; fails with `AddressRejected` when the carrier does not deliver there.
 */
export const changeAddress = defineUpdate<OrderStatus, [Address]>("changeAddress");

/** Where an order is; answered after its end as well, as long as its history is kept. */
export const orderStatus = defineQuery<OrderStatus>("orderStatus");

/** Adds a purchase to a customer's loyalty account. */
export const purchaseCompleted = defineSignal<[Purchase]>("purchaseCompleted");

/** What a customer has collected. */
export const loyaltyAccount = defineQuery<LoyaltyAccount>("loyaltyAccount");
