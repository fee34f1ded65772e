import { bundleWorkflowCode, DefaultLogger, Runtime } from "@temporalio/worker";
import type { WorkflowBundleWithSourceMap } from "@temporalio/worker";
import { failureConverterPath } from "../../src/codec/data-converter";

let bundle: Promise<WorkflowBundleWithSourceMap> | undefined;

/** The workflows as they are now, bundled once for all tests, and a runtime that keeps silent when they fail. */
export function bundledWorkflows(): Promise<WorkflowBundleWithSourceMap> {
  if (bundle === undefined) {
    Runtime.install({
      logger: new DefaultLogger("ERROR", () => undefined),
      telemetryOptions: { logging: { forward: {}, filter: { core: "ERROR", other: "ERROR" } } },
    });
    bundle = bundleWorkflowCode({
      workflowsPath: require.resolve("../../src/workflows"),
      failureConverterPath,
      workflowInterceptorModules: [require.resolve("../../src/tracing/workflow-interceptors")],
      logger: new DefaultLogger("ERROR"),
    });
  }
  return bundle;
}
