import { DefaultLogger } from "@temporalio/worker";
import type { Logger as SdkLogger } from "@temporalio/worker";
import { LEVELS } from "./logger";
import type { Logger } from "./logger";

/** One name for what workflows, activities and the SDK's core each spell in their own way. */
const FIELD_NAMES: Readonly<Record<string, string>> = {
  workflowRunId: "runId",
  run_id: "runId",
  workflow_id: "workflowId",
  workflow_type: "workflowType",
  task_queue: "taskQueue",
  activity_id: "activityId",
  activity_type: "activityType",
};

function withCommonNames(meta: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(meta).map(([name, value]) => [FIELD_NAMES[name] ?? name, value]));
}

/** The SDK's view of our logger: worker, workflow and core lines all end up in it. */
export function sdkLogger(logger: Logger): SdkLogger {
  return new DefaultLogger("TRACE", ({ level, message, meta }) =>
    logger[LEVELS[level]](withCommonNames(meta ?? {}), message),
  );
}
