import { type LoadResult, startOrder, underLoad as underLoadOf } from "../support/load";
import { checkout, sourcedEnvironment } from "./support";

/** Starts orders one after the other for as long as some work takes: {@link underLoadOf}. */
export const underLoad = (work: () => Promise<void>): Promise<LoadResult> =>
  underLoadOf(() => startOrder(sourcedEnvironment(), checkout), work);
