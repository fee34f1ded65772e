/** A completed order, as far as it counts for points. */
export interface Purchase {
  readonly orderId: string;
  /** In the smallest unit of the order's currency. */
  readonly totalMinor: number;
}

/** Whether something from outside is a purchase that an account can add. */
export function isPurchase(value: unknown): value is Purchase {
  if (typeof value !== "object" || value === null) return false;
  const { orderId, totalMinor } = value as Partial<Record<keyof Purchase, unknown>>;
  return typeof orderId === "string" && Number.isSafeInteger(totalMinor) && Number(totalMinor) >= 0;
}

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
