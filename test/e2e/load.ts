import { lastLines } from "../../common/failure";
import { type LoadResult, underLoad as underLoadOf } from "../../local/load";
import { order } from "./support";

/** Starts orders one after the other for as long as some work takes: {@link underLoadOf}. */
export const underLoad = (work: () => Promise<void>): Promise<LoadResult> =>
  underLoadOf(async () => {
    const { exitCode, orders, output } = await order("--start-only");
    const workflowIds = orders.map(({ workflowId }) => workflowId);
    return exitCode === 0 ? { workflowIds } : { workflowIds, refusal: lastLines(output) };
  }, work);
