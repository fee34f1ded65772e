import { bundleWorkflowCode, DefaultLogger, Runtime } from "@temporalio/worker";
import type { WorkflowBundleWithSourceMap } from "@temporalio/worker";
import { failureConverterPath } from "../../src/codec/data-converter";

const CURRENT = require.resolve("../../src/workflows");

const bundles = new Map<string, Promise<WorkflowBundleWithSourceMap>>();

/**
 * Workflows, bundled once for all tests, and a runtime that keeps silent when they fail.
 *
 * @param workflowsPath default: the workflows as they are now
 */
export function bundledWorkflows(workflowsPath = CURRENT): Promise<WorkflowBundleWithSourceMap> {
  if (bundles.size === 0) {
    Runtime.install({
      logger: new DefaultLogger("ERROR", () => undefined),
      telemetryOptions: { logging: { forward: {}, filter: { core: "ERROR", other: "ERROR" } } },
    });
  }
  const bundle =
    bundles.get(workflowsPath) ??
    bundleWorkflowCode({
      workflowsPath,
      failureConverterPath,
      workflowInterceptorModules: [require.resolve("../../src/tracing/workflow-interceptors")],
      logger: new DefaultLogger("ERROR"),
    });
  bundles.set(workflowsPath, bundle);
  return bundle;
}
