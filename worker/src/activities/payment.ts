import type { PaymentGateway } from "../domain/gateways";
import { withTypedFailures } from "./failures";
import type { PaymentActivities } from "./types";

/** The activities that touch the payment provider. */
export function paymentActivities(payment: PaymentGateway): PaymentActivities {
  return {
    charge: ({ idempotencyKey, ...details }) =>
      withTypedFailures(() => payment.charge(idempotencyKey, details)),
    refund: ({ idempotencyKey }) => withTypedFailures(() => payment.refund(idempotencyKey)),
  };
}
