// A worker with the SDK's defaults: nothing is set that need not be. The baseline of `npm run bench:worker`.
import { fileURLToPath } from "node:url";
import { NativeConnection, Worker } from "@temporalio/worker";
import { createActivities } from "../../lib/activities/index.js";
import { sampleGateways } from "../../lib/domain/sample-gateways.js";

const {
  TEMPORAL_ADDRESS: address,
  TEMPORAL_NAMESPACE: namespace,
  TEMPORAL_TASK_QUEUES: taskQueue,
} = process.env;

const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  namespace,
  taskQueue,
  workflowBundle: { codePath: fileURLToPath(new URL("../../lib/workflow-bundle.js", import.meta.url)) },
  activities: createActivities(sampleGateways()),
});
await worker.run();
