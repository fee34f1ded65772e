import type { Parcel, Payment } from "../domain/gateways";
import type { OrderLine } from "../domain/order";

/** Every request names the key under which the gateway recognises a repetition. */
export interface Idempotent {
  /** `workflowId/step`; see `idempotencyKey`. */
  readonly idempotencyKey: string;
}

export interface ReserveRequest extends Idempotent {
  readonly lines: readonly OrderLine[];
}

export interface ChargeRequest extends Idempotent, Payment {}

export interface ShipRequest extends Idempotent, Parcel {}

/** The activities of the order workflow. The workflow knows this type only, never the code behind it. */
export interface OrderActivities {
  /** Sets the goods aside. Fails with type `OutOfStock`. */
  readonly reserve: (request: ReserveRequest) => Promise<{ reservationId: string }>;
  /** Takes `reserve` back; a no-op when it never happened. */
  readonly release: (request: Idempotent) => Promise<void>;
  /** Takes the money. Fails with type `CardDeclined`. */
  readonly charge: (request: ChargeRequest) => Promise<{ chargeId: string }>;
  /** Takes `charge` back; a no-op when it never happened. */
  readonly refund: (request: Idempotent) => Promise<void>;
  /** Hands the parcel to the carrier. Fails with type `AddressRejected`. */
  readonly ship: (request: ShipRequest) => Promise<{ trackingNumber: string }>;
  /** Takes `ship` back; a no-op when it never happened. */
  readonly recall: (request: Idempotent) => Promise<void>;
}
