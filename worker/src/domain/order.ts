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
  /** How long an order that needs an approval waits for it, in seconds, from 1. Default: one day. */
  readonly approvalTimeoutSeconds?: number;
  /** Whether the order counts for the customer's loyalty account. Default false. */
  readonly collectsPoints?: boolean;
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

/** Where an order is on its way. A failed or cancelled one ends as `takenBack`. */
export type OrderPhase =
  | "reserving"
  | "charging"
  | "awaitingApproval"
  | "preparing"
  | "shipping"
  | "shipped"
  | "takingBack"
  | "takenBack";

/** What is known of an order while it is under way, and after its end. */
export interface OrderStatus {
  readonly phase: OrderPhase;
  readonly totalMinor: number;
  readonly currency: string;
  /** Where the parcel goes, changes of address included. */
  readonly address: Address;
  /** Who approved the order; only when it needed an approval and got one. */
  readonly approvedBy?: string;
}

const DAY_SECONDS = 24 * 3600;

/** The longest fulfilment delay that is accepted: 30 days. */
export const MAX_FULFILMENT_DELAY_SECONDS = 30 * DAY_SECONDS;

/** How long an order waits for its approval unless it says otherwise: one day. */
export const APPROVAL_TIMEOUT_SECONDS = DAY_SECONDS;

/** The longest wait for an approval that is accepted: 30 days. */
export const MAX_APPROVAL_TIMEOUT_SECONDS = 30 * DAY_SECONDS;

/** From this total on, in the smallest unit of the currency, a person has to approve the order: 1000.00 EUR. */
export const APPROVAL_THRESHOLD_MINOR = 100_000;

/** Whether a person has to approve the order before it is fulfilled. */
export const needsApproval = (totalMinor: number): boolean => totalMinor >= APPROVAL_THRESHOLD_MINOR;

const ADDRESS_OPEN: ReadonlySet<OrderPhase> = new Set([
  "reserving",
  "charging",
  "awaitingApproval",
  "preparing",
]);

/** Whether the parcel's address can still be changed: until the parcel goes to the carrier. */
export const isAddressOpen = (phase: OrderPhase): boolean => ADDRESS_OPEN.has(phase);

/** Whether the customer can still cancel: until the carrier has taken the parcel over. */
export const isCancellable = (phase: OrderPhase): boolean => phase === "shipping" || isAddressOpen(phase);

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
 * Checks an address as far as its form goes; whether the carrier delivers there is for the carrier to say.
 *
 * @returns every problem found, each naming its field; empty when there is none
 */
export function addressProblems({ country }: Address): string[] {
  return /^[A-Z]{2}$/.test(country) ? [] : ["address.country: expected two capital letters (ISO 3166-1)"];
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
  problems.push(...addressProblems(order.address));
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
  const timeout = order.approvalTimeoutSeconds ?? APPROVAL_TIMEOUT_SECONDS;
  require(timeout >= 1 &&
    timeout <=
      MAX_APPROVAL_TIMEOUT_SECONDS, `approvalTimeoutSeconds: expected 1 to ${MAX_APPROVAL_TIMEOUT_SECONDS}`);
  return problems;
}

/**
 * The key under which a gateway recognises a repeated request.
 *
 * One order runs each step once, and a retry is the same step: the order's id and the step's name are enough. A
 * compensation uses the key of the step that it takes back.
 */
export function idempotencyKey(workflowId: string, step: string): string {
  return `${workflowId}/${step}`;
}
