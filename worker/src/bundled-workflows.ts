import { readFileSync } from "node:fs";
import type { WorkerDeploymentOptions, WorkflowBundleOption } from "@temporalio/worker";

/**
 * The built workflows, told whether their worker takes part in worker versioning; `declareVersioning` says why they
 * need to know.
 *
 * @param path the bundle, as `npm run build` writes it
 * @param deployment the same options that the worker is created with
 */
export function loadWorkflowBundle(
  path: string,
  deployment: WorkerDeploymentOptions | undefined,
): WorkflowBundleOption {
  if (deployment?.useWorkerVersioning !== true) return { codePath: path };
  return { code: `globalThis.workerVersioning = true; ${readFileSync(path, "utf8")}` };
}
