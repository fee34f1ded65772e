import { bundleWorkflowCode, DefaultLogger, Runtime } from "@temporalio/worker";
import type { WorkflowBundleWithSourceMap } from "@temporalio/worker";
import { failureConverterPath } from "../../src/codec/data-converter";

const CURRENT = require.resolve("../../src/workflows");

const bundles = new Map<string, Promise<WorkflowBundleWithSourceMap>>();

let isQuiet = false;

/** Has the SDK keep silent when workflows fail, for what replays them. It keeps the process until a replay has ended. */
export function quietRuntime(): void {
  if (isQuiet) return;
  isQuiet = true;
  Runtime.install({
    logger: new DefaultLogger("ERROR", () => undefined),
    telemetryOptions: { logging: { forward: {}, filter: { core: "ERROR", other: "ERROR" } } },
  });
}

/**
 * Workflows, bundled once for all tests.
 *
 * @param workflowsPath default: the workflows as they are now
 */
export function bundledWorkflows(workflowsPath = CURRENT): Promise<WorkflowBundleWithSourceMap> {
  const bundle =
    bundles.get(workflowsPath) ??
    bundleWorkflowCode({
      workflowsPath,
      failureConverterPath,
      workflowInterceptorModules: [
        require.resolve("../../src/tracing/workflow-interceptors"),
        require.resolve("./sent-options"),
      ],
      logger: new DefaultLogger("ERROR"),
    });
  bundles.set(workflowsPath, bundle);
  return bundle;
}
