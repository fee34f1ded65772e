// Bundles the compiled workflows, so that a worker neither needs webpack nor spends the time at start.
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleWorkflowCode, DefaultLogger } from "@temporalio/worker";

const lib = join(dirname(dirname(fileURLToPath(import.meta.url))), "lib");

const { code } = await bundleWorkflowCode({
  workflowsPath: join(lib, "workflows", "index.js"),
  failureConverterPath: join(lib, "codec", "failure-converter.js"),
  workflowInterceptorModules: [join(lib, "tracing", "workflow-interceptors.js")],
  logger: new DefaultLogger("WARN"),
});
writeFileSync(join(lib, "workflow-bundle.js"), code);
