import { setWorkflowOptions } from "@temporalio/workflow";
import type { VersioningBehavior } from "@temporalio/common";

/**
 * Declares what becomes of a workflow's open executions when a new version of the worker is deployed: `PINNED` ones
 * stay with the version that they began on, `AUTO_UPGRADE` ones go on with the new one, so their changes must
 * replay.
 *
 * The declaration is sent by workers with versioning only: the server refuses every task of a workflow that a
 * worker without versioning declares. Which of both it is can change in the middle of a workflow, so it is taken
 * from the worker that runs now, not from the history.
 */
export function declareVersioning(
  versioningBehavior: VersioningBehavior,
  workflow: Parameters<typeof setWorkflowOptions>[1],
): void {
  setWorkflowOptions(() => (globalThis.workerVersioning === true ? { versioningBehavior } : {}), workflow);
}
