import type { Parcel, Payment } from "../domain/gateways";
import type { Purchase } from "../domain/loyalty";
import type { Address, OrderLine } from "../domain/order";

/** Every request names the key under which the gateway recognises a repetition. */
export interface Idempotent {
  /** Of one step of one run of an order; see `idempotencyKey`. */
  readonly idempotencyKey: string;
}

export interface ReserveRequest extends Idempotent {
  readonly lines: readonly OrderLine[];
}

export interface ChargeRequest extends Idempotent, Payment {}

export interface ShipRequest extends Idempotent, Parcel {}

export interface InventoryActivities {
  /** Sets the goods aside. Fails with type `OutOfStock`. */
  readonly reserve: (request: ReserveRequest) => Promise<{ reservationId: string }>;
  /** Takes `reserve` back; a no-op when it never happened. */
  readonly release: (request: Idempotent) => Promise<void>;
}

export interface PaymentActivities {
  /** Takes the money. Fails with type `CardDeclined`. */
  readonly charge: (request: ChargeRequest) => Promise<{ chargeId: string }>;
  /** Takes `charge` back; a no-op when it never happened. */
  readonly refund: (request: Idempotent) => Promise<void>;
}

export interface ShippingActivities {
  /** Asks whether the carrier delivers there. Fails with type `AddressRejected`. */
  readonly checkAddress: (request: { readonly address: Address }) => Promise<void>;
  /** Announces the parcel to the carrier. Fails with type `AddressRejected`. */
  readonly ship: (request: ShipRequest) => Promise<{ trackingNumber: string }>;
  /** Takes `ship` back; a no-op when it never happened. */
  readonly recall: (request: Idempotent) => Promise<void>;
  /** Follows the parcel until the carrier has taken it over. Heartbeats; a retry goes on where the last one was. */
  readonly followParcel: (request: { readonly trackingNumber: string }) => Promise<{ scans: number }>;
}

export interface LoyaltyActivities {
  /** Tells the customer's loyalty account of a purchase, and opens the account if there is none. */
  readonly recordPurchase: (request: Purchase & { readonly customerId: string }) => Promise<void>;
}

export interface CanaryActivities {
  /** Answers what it was sent. */
  readonly echo: (text: string) => Promise<string>;
}

/** All activities of this worker. Workflows know this type only, never the code behind it. */
export interface Activities
  extends InventoryActivities, PaymentActivities, ShippingActivities, LoyaltyActivities, CanaryActivities {}
