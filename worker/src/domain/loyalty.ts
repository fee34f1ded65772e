import { integerFrom, listOf, object, optional, text } from "./validation";

/** A completed order, as far as it counts for points. */
export interface Purchase {
  /** What tells purchases apart; an order id that is used again is another purchase. */
  readonly orderId: string;
  /** In the smallest unit of the order's currency. */
  readonly totalMinor: number;
}

/** Whether something from outside is a purchase that an account can add. */
export function isPurchase(value: unknown): value is Purchase {
  return purchaseCheck(value, "").length === 0;
}

const purchaseCheck = object({ orderId: text, totalMinor: integerFrom(0) });

/** What a customer has collected. It survives JSON, so that one run of the account can hand it to the next. */
export interface LoyaltyAccount {
  readonly points: number;
  readonly purchases: number;
  /** The latest orders, oldest first: what tells a repetition from a new purchase. */
  readonly recentOrderIds: readonly string[];
}

/** The smallest units of a currency that make one point: one whole euro. */
export const MINOR_UNITS_PER_POINT = 100;

/** Orders that an account remembers; a repetition arrives within minutes. 500 ids are about 20 KB. */
export const REMEMBERED_ORDERS = 500;

export const EMPTY_ACCOUNT: LoyaltyAccount = { points: 0, purchases: 0, recentOrderIds: [] };

/** Adds a purchase; one that the account remembers changes nothing. */
export function addPurchase(account: LoyaltyAccount, { orderId, totalMinor }: Purchase): LoyaltyAccount {
  if (account.recentOrderIds.includes(orderId)) return account;
  return {
    points: account.points + Math.floor(totalMinor / MINOR_UNITS_PER_POINT),
    purchases: account.purchases + 1,
    recentOrderIds: [...account.recentOrderIds, orderId].slice(-REMEMBERED_ORDERS),
  };
}

/** Least history events of a run: fewer, and an account would do nothing but begin anew. */
export const LEAST_HISTORY_EVENTS = 8;

const accountInputCheck = optional(
  object({
    account: optional(
      object({
        points: integerFrom(0),
        purchases: integerFrom(0),
        recentOrderIds: listOf(text, { of: "order id" }),
      }),
    ),
    maxHistoryEvents: optional(integerFrom(LEAST_HISTORY_EVENTS)),
  }),
);

/**
 * Checks what somebody sent to open an account with.
 *
 * @returns every problem found, each naming its field; empty when an account can be opened
 */
export const accountInputProblems = (input: unknown): string[] => accountInputCheck(input, "");
