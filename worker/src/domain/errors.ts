/** The ways in which an order can fail that no retry mends. */
export const BUSINESS_FAILURES = [
  "InvalidOrder",
  "OutOfStock",
  "CardDeclined",
  "AddressRejected",
  "ApprovalTimedOut",
  "OrderCancelled",
  "RequestVoided",
] as const;

export type BusinessFailureType = (typeof BUSINESS_FAILURES)[number];

/** Facts about a failure, for whoever handles it; must survive JSON and hold no secrets. */
export type FailureDetails = Readonly<Record<string, string | number>>;

/** A refusal by the business: the answer stays the same however often one asks. */
export class BusinessError extends Error {
  override readonly name = "BusinessError";

  constructor(
    readonly type: BusinessFailureType,
    message: string,
    readonly details: FailureDetails = {},
  ) {
    super(message);
  }
}

export const outOfStock = (sku: string, requested: number, available: number): BusinessError =>
  new BusinessError("OutOfStock", `${sku}: ${requested} ordered, ${available} in stock`, {
    sku,
    requested,
    available,
  });

export const cardDeclined = (reason: string): BusinessError =>
  new BusinessError("CardDeclined", `the card was declined: ${reason}`, { reason });

export const addressRejected = (country: string): BusinessError =>
  new BusinessError("AddressRejected", `the carrier does not deliver to ${country}`, { country });

/** A request whose key was voided before the request arrived: carrying it out would leave it orphaned. */
export const requestVoided = (key: string): BusinessError =>
  new BusinessError("RequestVoided", `${key} was voided before it was carried out`, { key });
