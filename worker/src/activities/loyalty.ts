import { activityInfo, getClient } from "@temporalio/activity";
import type { Purchase } from "../domain/loyalty";
import { purchaseCompleted } from "../messages";
import type { customerLoyalty } from "../workflows";
import type { LoyaltyActivities } from "./types";

/** The id of a customer's loyalty account. Workflow ids are never encrypted: a customer id must be no secret. */
export const loyaltyId = (customerId: string): string => `loyalty/${customerId}`;

/** The activities that touch loyalty accounts, which are workflows on the same task queue. */
export function loyaltyActivities(): LoyaltyActivities {
  return {
    recordPurchase: async ({ customerId, orderId, totalMinor }) => {
      await getClient().workflow.signalWithStart<typeof customerLoyalty, [Purchase]>("customerLoyalty", {
        workflowId: loyaltyId(customerId),
        taskQueue: activityInfo().taskQueue,
        args: [{}],
        signal: purchaseCompleted,
        signalArgs: [{ orderId, totalMinor }],
      });
    },
  };
}
