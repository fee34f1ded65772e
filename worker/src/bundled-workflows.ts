import { readFileSync } from "node:fs";
import type { WorkflowBundleOption } from "@temporalio/worker";
import type { WorkflowGlobals } from "./workflow-globals";

/**
 * The built workflows, with what they need to know of their worker.
 *
 * @param path the bundle, as `npm run build` writes it
 */
export function loadWorkflowBundle(path: string, globals: WorkflowGlobals): WorkflowBundleOption {
  const entries = Object.entries(globals);
  if (entries.length === 0) return { codePath: path };
  // On the bundle's first line, so that its source map still fits.
  const assignments = entries.map(([name, value]) => `globalThis.${name} = ${JSON.stringify(value)}; `);
  return { code: assignments.join("") + readFileSync(path, "utf8") };
}
