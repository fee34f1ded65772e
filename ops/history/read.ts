import { readReleases, readState, type StackState } from "../stack/state";
import type { Workspace } from "../stack/workspace";
import { readHistory, type Update, updatesOf } from "./updates";

/** A stack as it is and as it came about. */
export interface StackHistory {
  readonly state: StackState;
  /** Newest first. */
  readonly updates: readonly Update[];
}

/** Reads a stack's state and its history. */
export async function readStack(workspace: Workspace): Promise<StackHistory> {
  const [state, history] = await Promise.all([readState(workspace), readHistory(workspace)]);
  return { state, updates: updatesOf(history, await readReleases(workspace, state)) };
}
