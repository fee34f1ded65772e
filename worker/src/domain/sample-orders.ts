import { APPROVAL_THRESHOLD_MINOR } from "./order";
import type { Order } from "./order";
import { DECLINED_CARD, SOLD_OUT_SKU, UNDELIVERABLE_COUNTRY } from "./sample-gateways";

/** The ways in which a sample order can be made to fail. */
export const SAMPLE_FAILURES = ["out-of-stock", "card-declined", "address-rejected"] as const;
export type SampleFailure = (typeof SAMPLE_FAILURES)[number];

/** What a sample order may differ in. */
export interface SampleOrderOptions {
  /** Default `customer-1`. */
  readonly customerId?: string;
  /** Default: the order is fulfilled. */
  readonly fail?: SampleFailure | undefined;
  /** See `Order.fulfilmentDelaySeconds`. Default 0. */
  readonly delaySeconds?: number;
  /** Makes the order so large that a person has to approve it. Default false. */
  readonly large?: boolean;
  /** See `Order.collectsPoints`. Default false. */
  readonly collectsPoints?: boolean;
}

/** An order that the sample gateways accept, or refuse in the way that is asked for. */
export function sampleOrder({
  customerId = "customer-1",
  fail,
  delaySeconds = 0,
  large = false,
  collectsPoints = false,
}: SampleOrderOptions = {}): Order {
  return {
    customerId,
    currency: "EUR",
    lines: [
      { sku: fail === "out-of-stock" ? SOLD_OUT_SKU : "TEAPOT", quantity: 1, unitPriceMinor: 2450 },
      { sku: "TEA-100G", quantity: 3, unitPriceMinor: 890 },
      ...(large ? [{ sku: "TEA-CABINET", quantity: 1, unitPriceMinor: APPROVAL_THRESHOLD_MINOR }] : []),
    ],
    cardToken: fail === "card-declined" ? DECLINED_CARD : "tok_accepted",
    address: {
      name: "Ada Sample",
      street: "1 Harbour Road",
      city: "Springfield",
      country: fail === "address-rejected" ? UNDELIVERABLE_COUNTRY : "DE",
    },
    fulfilmentDelaySeconds: delaySeconds,
    collectsPoints,
  };
}
