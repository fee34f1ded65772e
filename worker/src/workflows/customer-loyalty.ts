import {
  allHandlersFinished,
  condition,
  continueAsNew,
  log,
  setHandler,
  workflowInfo,
} from "@temporalio/workflow";
import { accountInputProblems, addPurchase, EMPTY_ACCOUNT, isPurchase } from "../domain/loyalty";
import type { LoyaltyAccount } from "../domain/loyalty";
import { loyaltyAccount, purchaseCompleted } from "../messages";
import { refuseInvalid } from "./support/refusal";
import { declareVersioning } from "./support/versioning";

/** What one run of an account hands to the next. */
export interface LoyaltyInput {
  /** Default: nothing collected yet. */
  readonly account?: LoyaltyAccount;
  /**
   * History events after which a new run begins, if the server has not suggested one before. A small history is
   * replayed quickly by a worker that does not know the account. From 8 on; default 2000.
   */
  readonly maxHistoryEvents?: number;
}

const MAX_HISTORY_EVENTS = 2000;

/**
 * A customer's loyalty account: collects the points of completed orders for as long as the customer stays, one run
 * after the other. Cancelling the workflow closes the account.
 *
 * @throws ApplicationFailure `InvalidAccount` when its input is none
 */
export async function customerLoyalty(input: LoyaltyInput = {}): Promise<never> {
  refuseInvalid("InvalidAccount", accountInputProblems(input));
  const { account = EMPTY_ACCOUNT, maxHistoryEvents = MAX_HISTORY_EVENTS } = input;
  let current = account;
  setHandler(loyaltyAccount, () => current);
  setHandler(purchaseCompleted, (purchase) => {
    // Anybody may send a signal. One that threw would stop the account for good.
    if (isPurchase(purchase)) current = addPurchase(current, purchase);
    else log.error("a signal that is no purchase was ignored");
  });

  await condition(() => {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    return continueAsNewSuggested || historyLength >= maxHistoryEvents;
  });
  await condition(allHandlersFinished);
  return continueAsNew<typeof customerLoyalty>({ account: current, maxHistoryEvents });
}

// It outlives every version of the worker, so it goes on with the new one: a change here must replay (`patched`).
declareVersioning("AUTO_UPGRADE", customerLoyalty);
