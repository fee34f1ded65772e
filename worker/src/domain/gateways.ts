import type { Address, OrderLine } from "./order";

/**
 * The systems that an order touches. Every method takes an idempotency key; calling it again with the same key
 * has no further effect and gives the same answer.
 *
 * A method that takes a step back is called with the key of that step. It succeeds when the step never happened,
 * and a step that arrives after it was voided is refused with `RequestVoided`: an abandoned attempt may still
 * be under way when the compensation runs.
 */
export interface InventoryGateway {
  /** @throws BusinessError `OutOfStock` */
  reserve(key: string, lines: readonly OrderLine[]): Promise<{ reservationId: string }>;
  release(key: string): Promise<void>;
}

export interface PaymentGateway {
  /** @throws BusinessError `CardDeclined` */
  charge(key: string, payment: Payment): Promise<{ chargeId: string }>;
  refund(key: string): Promise<void>;
}

export interface CarrierGateway {
  /** @throws BusinessError `AddressRejected` */
  ship(key: string, parcel: Parcel): Promise<{ trackingNumber: string }>;
  recall(key: string): Promise<void>;
  /** @throws BusinessError `AddressRejected` */
  checkAddress(address: Address): Promise<void>;
  /**
   * What has happened to a parcel since somebody last looked.
   *
   * @param seen scans that are known already
   * @returns the later ones, oldest first; empty when there is nothing new
   */
  scansAfter(trackingNumber: string, seen: number): Promise<readonly ParcelScan[]>;
}

/** A station on a parcel's way. From `takenOver` on the carrier is responsible, and nothing can be recalled. */
export type ParcelScan = "announced" | "collected" | "takenOver";

export interface Payment {
  /** Amount in the smallest unit of `currency`. */
  readonly amountMinor: number;
  readonly currency: string;
  readonly cardToken: string;
}

export interface Parcel {
  readonly address: Address;
  readonly lines: readonly OrderLine[];
}

/** Everything that the activities need from outside. */
export interface Gateways {
  readonly inventory: InventoryGateway;
  readonly payment: PaymentGateway;
  readonly carrier: CarrierGateway;
}
