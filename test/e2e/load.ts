import { type LoadResult, underLoad as underLoadOf } from "../../local/load";
import { order } from "./support";

/** Starts orders one after the other for as long as some work takes: {@link underLoadOf}. */
export const underLoad = (work: () => Promise<void>): Promise<LoadResult> =>
  underLoadOf(async () => {
    const { exitCode, orders } = await order("--start-only");
    return { acknowledged: exitCode === 0, workflowIds: orders.map(({ workflowId }) => workflowId) };
  }, work);
