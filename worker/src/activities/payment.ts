import type { PaymentGateway } from "../domain/gateways";
import { withTypedFailures } from "./failures";
import type { OrderActivities } from "./types";

/** The activities that touch the payment provider. */
export function paymentActivities(payment: PaymentGateway): Pick<OrderActivities, "charge" | "refund"> {
  return {
    charge: ({ idempotencyKey, ...details }) =>
      withTypedFailures(() => payment.charge(idempotencyKey, details)),
    refund: ({ idempotencyKey }) => withTypedFailures(() => payment.refund(idempotencyKey)),
  };
}
