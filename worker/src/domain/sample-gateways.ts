import { addressRejected, cardDeclined, outOfStock } from "./errors";
import type {
  CarrierGateway,
  Gateways,
  InventoryGateway,
  Parcel,
  ParcelScan,
  Payment,
  PaymentGateway,
} from "./gateways";
import type { Address, OrderLine } from "./order";
import { RequestLog } from "./request-log";

/** The card token that the sample payment provider declines. */
export const DECLINED_CARD = "tok_declined";
/** The article that the sample warehouse never has. */
export const SOLD_OUT_SKU = "SOLD-OUT";
/** The country (Antarctica) that the sample carrier does not deliver to. */
export const UNDELIVERABLE_COUNTRY = "AQ";
/** The way of every parcel of the sample carrier, which takes over at once. */
export const SAMPLE_SCANS: readonly ParcelScan[] = ["announced", "collected", "takenOver"];

/** A warehouse in memory. Articles without an entry in `stock` are always there. */
export class SampleInventory implements InventoryGateway {
  private readonly stock: Map<string, number>;
  private readonly requests = new RequestLog<{ reservationId: string; taken: ReadonlyMap<string, number> }>();

  constructor(stock: Readonly<Record<string, number>> = { [SOLD_OUT_SKU]: 0 }) {
    this.stock = new Map(Object.entries(stock));
  }

  /** Pieces that can still be reserved; infinite for an article that is always there. */
  available(sku: string): number {
    return this.stock.get(sku) ?? Number.POSITIVE_INFINITY;
  }

  async reserve(key: string, lines: readonly OrderLine[]): Promise<{ reservationId: string }> {
    const { reservationId } = this.requests.once(key, () => {
      const wanted = new Map<string, number>();
      for (const line of lines) wanted.set(line.sku, (wanted.get(line.sku) ?? 0) + line.quantity);
      for (const [sku, quantity] of wanted) {
        if (this.available(sku) < quantity) throw outOfStock(sku, quantity, this.available(sku));
      }
      // Of what is always there, nothing has to be remembered: an order may be large.
      const taken = new Map([...wanted].filter(([sku]) => this.stock.has(sku)));
      this.move(taken, -1);
      return { reservationId: `reservation:${key}`, taken };
    });
    return { reservationId };
  }

  async release(key: string): Promise<void> {
    const reservation = this.requests.void(key);
    if (reservation !== undefined) this.move(reservation.taken, 1);
  }

  private move(pieces: ReadonlyMap<string, number>, sign: 1 | -1): void {
    for (const [sku, quantity] of pieces) this.stock.set(sku, this.available(sku) + sign * quantity);
  }
}

/** A payment provider in memory. */
export class SamplePayment implements PaymentGateway {
  private readonly requests = new RequestLog<{ chargeId: string; amountMinor: number }>();
  /** What has been taken and not given back, in minor units, over all currencies. */
  balanceMinor = 0;

  async charge(key: string, payment: Payment): Promise<{ chargeId: string }> {
    const { chargeId } = this.requests.once(key, () => {
      if (payment.cardToken === DECLINED_CARD) throw cardDeclined("insufficient funds");
      this.balanceMinor += payment.amountMinor;
      return { chargeId: `charge:${key}`, amountMinor: payment.amountMinor };
    });
    return { chargeId };
  }

  async refund(key: string): Promise<void> {
    this.balanceMinor -= this.requests.void(key)?.amountMinor ?? 0;
  }
}

/** A carrier in memory. */
export class SampleCarrier implements CarrierGateway {
  private readonly requests = new RequestLog<{ trackingNumber: string }>();
  /** Parcels handed over and not recalled. */
  parcels = 0;

  async ship(key: string, parcel: Parcel): Promise<{ trackingNumber: string }> {
    return this.requests.once(key, () => {
      refuseUndeliverable(parcel.address);
      this.parcels += 1;
      return { trackingNumber: `parcel:${key}` };
    });
  }

  async recall(key: string): Promise<void> {
    if (this.requests.void(key) !== undefined) this.parcels -= 1;
  }

  async checkAddress(address: Address): Promise<void> {
    refuseUndeliverable(address);
  }

  async scansAfter(_trackingNumber: string, seen: number): Promise<readonly ParcelScan[]> {
    return SAMPLE_SCANS.slice(seen);
  }
}

function refuseUndeliverable({ country }: Address): void {
  if (country === UNDELIVERABLE_COUNTRY) throw addressRejected(country);
}

/**
 * The sample domain. Its memory is the process's own: with several workers a repeated request may reach one that
 * does not know the key. Real gateways keep the keys where all workers see them.
 */
export function sampleGateways(): Gateways {
  return { inventory: new SampleInventory(), payment: new SamplePayment(), carrier: new SampleCarrier() };
}
