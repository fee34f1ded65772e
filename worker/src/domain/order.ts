/** One article of an order. */
export interface OrderLine {
  readonly sku: string;
  /** Pieces, a whole number from 1. */
  readonly quantity: number;
  /** Price of one piece in the smallest unit of the order's currency (cents for EUR). */
  readonly unitPriceMinor: number;
}

/** Where the parcel goes. */
export interface Address {
  readonly name: string;
  readonly street: string;
  readonly city: string;
  /** ISO 3166-1 alpha-2, upper case. */
  readonly country: string;
}

/** What a customer asks for. It is also the input of the order workflow, so every field must survive JSON. */
export interface Order {
  readonly customerId: string;
  /** ISO 4217, upper case. */
  readonly currency: string;
  readonly lines: readonly OrderLine[];
  /** The payment provider's token for the card; never the card number. */
  readonly cardToken: string;
  readonly address: Address;
  /** How long the warehouse needs between payment and hand-over to the carrier, in seconds. Default 0. */
  readonly fulfilmentDelaySeconds?: number;
}

/** What the customer got. */
export interface OrderConfirmation {
  readonly orderId: string;
  readonly reservationId: string;
  readonly chargeId: string;
  readonly trackingNumber: string;
  readonly totalMinor: number;
  readonly currency: string;
}

/** The longest fulfilment delay that is accepted: 30 days. */
export const MAX_FULFILMENT_DELAY_SECONDS = 30 * 24 * 3600;

const isPositiveInteger = (value: number): boolean => Number.isSafeInteger(value) && value > 0;

/**
 * Sum over all lines.
 *
 * @returns the total in the smallest unit of the order's currency
 */
export function orderTotalMinor(order: Pick<Order, "lines">): number {
  return order.lines.reduce((sum, line) => sum + line.quantity * line.unitPriceMinor, 0);
}

/**
 * Checks what the types cannot say.
 *
 * @returns every problem found, each naming its field; empty when the order can be fulfilled
 */
export function orderProblems(order: Order): string[] {
  const problems: string[] = [];
  const require = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(problem);
  };
  require(order.customerId.length > 0, "customerId: expected a non-empty string");
  require(/^[A-Z]{3}$/.test(order.currency), "currency: expected three capital letters (ISO 4217)");
  require(order.cardToken.length > 0, "cardToken: expected a non-empty string");
  require(/^[A-Z]{2}$/.test(
    order.address.country,
  ), "address.country: expected two capital letters (ISO 3166-1)");
  require(order.lines.length > 0, "lines: expected at least one line");
  order.lines.forEach((line, index) => {
    require(line.sku.length > 0, `lines[${index}].sku: expected a non-empty string`);
    require(isPositiveInteger(line.quantity), `lines[${index}].quantity: expected a whole number from 1`);
    require(isPositiveInteger(
      line.unitPriceMinor,
    ), `lines[${index}].unitPriceMinor: expected a whole number from 1`);
  });
  require(!(orderTotalMinor(order) > Number.MAX_SAFE_INTEGER), "lines: the total is too large to be exact");
  const delay = order.fulfilmentDelaySeconds ?? 0;
  require(Number.isFinite(delay) &&
    delay >= 0 &&
    delay <=
      MAX_FULFILMENT_DELAY_SECONDS, `fulfilmentDelaySeconds: expected 0 to ${MAX_FULFILMENT_DELAY_SECONDS}`);
  return problems;
}

/**
 * The key under which a gateway recognises a repeated request.
 *
 * One workflow runs each step once, and a retry is the same step: workflow id and step name are enough. A
 * compensation uses the key of the step that it takes back.
 */
export function idempotencyKey(workflowId: string, step: string): string {
  return `${workflowId}/${step}`;
}
