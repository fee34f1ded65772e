import { boolean, integerFrom, listOf, matching, numberBetween, object, optional, text } from "./validation";

/** One article of an order. */
export interface OrderLine {
  readonly sku: string;
  /** Pieces, an integer from 1. */
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

/**
 * Sum over all lines.
 *
 * @returns the total in the smallest unit of the order's currency
 */
export function orderTotalMinor(order: Pick<Order, "lines">): number {
  return order.lines.reduce((sum, line) => sum + line.quantity * line.unitPriceMinor, 0);
}

const addressCheck = object({
  name: text,
  street: text,
  city: text,
  country: matching(/^[A-Z]{2}$/, "two capital letters (ISO 3166-1)"),
});

const linesCheck = listOf(object({ sku: text, quantity: integerFrom(1), unitPriceMinor: integerFrom(1) }), {
  min: 1,
  of: "line",
});

const orderCheck = object({
  customerId: text,
  currency: matching(/^[A-Z]{3}$/, "three capital letters (ISO 4217)"),
  cardToken: text,
  address: addressCheck,
  lines: linesCheck,
  fulfilmentDelaySeconds: optional(numberBetween(0, MAX_FULFILMENT_DELAY_SECONDS)),
  approvalTimeoutSeconds: optional(numberBetween(1, MAX_APPROVAL_TIMEOUT_SECONDS)),
  collectsPoints: optional(boolean),
});

/**
 * Checks an address as far as its form goes; whether the carrier delivers there is for the carrier to say.
 *
 * @returns every problem found, each naming its field; empty when there is none
 */
export const addressProblems = (address: unknown): string[] => addressCheck(address, "address");

const approvalCheck = object({ approvedBy: text });

/** Checks what somebody sent as an approval; gives every problem found. */
export const approvalProblems = (approval: unknown): string[] => approvalCheck(approval, "");

/** Why an order is cancelled. A customer who gives no reason, or a malformed one, wants it cancelled all the same. */
export function cancellationReason(request: unknown): string {
  const reason = typeof request === "object" && request !== null && "reason" in request ? request.reason : "";
  return typeof reason === "string" && reason !== "" ? reason : "no reason given";
}

/**
 * Checks what somebody sent as an order.
 *
 * @returns every problem found, each naming its field; empty when it is an order that can be fulfilled
 */
export function orderProblems(order: unknown): string[] {
  const problems = orderCheck(order, "");
  if (problems.length > 0) return problems;
  const total = orderTotalMinor(order as Order);
  return total > Number.MAX_SAFE_INTEGER ? ["lines: the total is too large to be exact"] : [];
}

/**
 * The key under which a gateway recognises a repeated request.
 *
 * One run of an order takes each step once, and a retry is the same step. An order id may be used again once its
 * workflow has ended, so it is the run that a key belongs to: else the second order would get the first one's answer,
 * or be refused because the first was voided. A compensation uses the key of the step that it compensates.
 *
 * @param run what tells the runs of one workflow id apart
 */
export function idempotencyKey(workflowId: string, run: string, step: string): string {
  return `${workflowId}/${run}/${step}`;
}
