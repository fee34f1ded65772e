import { Worker } from "@temporalio/worker";
import type { NativeConnection, WorkerOptions } from "@temporalio/worker";
import { createActivities } from "./activities";
import { loadWorkflowBundle } from "./bundled-workflows";
import { createDataConverter } from "./codec/data-converter";
import type { Pollers, WorkerConfig } from "./config";
import { orAborted } from "./connection";
import type { Gateways } from "./domain/gateways";
import { divided } from "./memory";
import type { Tracing } from "./tracing";

/** What the workers of a process are made of. */
export interface WorkerParts {
  readonly config: WorkerConfig;
  readonly gateways: Gateways;
  /** The built workflows. */
  readonly bundlePath: string;
  readonly tracing: Tracing | undefined;
}

/** No worker can be made of what was built: no wait mends that. */
export class UnusableBuild extends Error {
  override readonly name = "UnusableBuild";
}

/**
 * Makes one worker for each task queue.
 *
 * @throws what `stop` was aborted with, when that comes first; no worker is left behind then. TransportError when
 * Temporal does not let a worker in. UnusableBuild when the workflows do not load
 */
export async function createWorkers(
  parts: WorkerParts,
  connection: NativeConnection,
  stop: AbortSignal,
): Promise<Worker[]> {
  const workers: Worker[] = [];
  try {
    for (const options of workerOptions(parts, connection)) {
      workers.push(await orAborted(Worker.create(options), stop));
    }
    return workers;
  } catch (error) {
    await Promise.all(workers.map(discard));
    if (stop.aborted || isTransportError(error)) throw error;
    throw new UnusableBuild(`no worker can be made with the workflows of ${parts.bundlePath}`, {
      cause: error,
    });
  }
}

/** The SDK deprecates the class for others, not the name. */
const isTransportError = (error: unknown): boolean =>
  error instanceof Error && error.name === "TransportError";

/** The SDK lets go of a worker only when that has run. */
async function discard(worker: Worker): Promise<void> {
  const running = worker.run();
  worker.shutdown();
  await running.catch(() => undefined);
}

function workerOptions(
  { config, gateways, bundlePath, tracing }: WorkerParts,
  connection: NativeConnection,
): WorkerOptions[] {
  const { capacity, pollers, taskQueues, version } = config;
  const common = {
    connection,
    namespace: config.namespace,
    identity: config.identity,
    workflowBundle: loadWorkflowBundle(bundlePath, {
      ...(version === undefined ? {} : { workerVersioning: true }),
      ...(config.tracing === undefined ? {} : { tracingSampleRatio: config.tracing.sampleRatio }),
    }),
    ...tracing?.workerOptions(),
    activities: createActivities(gateways),
    dataConverter: createDataConverter(config.keyring, config.encryption),
    shutdownGraceTime: config.shutdown.graceSeconds * 1000,
    shutdownForceTime: config.shutdown.forceSeconds * 1000,
    ...(version === undefined
      ? {}
      : {
          workerDeploymentOptions: {
            version,
            useWorkerVersioning: true as const,
            // What a workflow gets that does not say otherwise; the same as in a plain rolling update.
            defaultVersioningBehavior: "AUTO_UPGRADE" as const,
          },
        }),
  };
  return divided(capacity, taskQueues).map(({ taskQueue, cachedWorkflows, activities, workflowTasks }) => ({
    ...common,
    taskQueue,
    maxCachedWorkflows: cachedWorkflows,
    maxConcurrentActivityTaskExecutions: activities,
    maxConcurrentWorkflowTaskExecutions: workflowTasks,
    activityTaskPollerBehavior: pollerBehavior(pollers.activities),
    workflowTaskPollerBehavior: pollerBehavior(pollers.workflowTasks),
  }));
}

function pollerBehavior(pollers: Pollers): NonNullable<WorkerOptions["activityTaskPollerBehavior"]> {
  return pollers === "auto" ? { type: "autoscaling" } : { type: "simple-maximum", maximum: pollers };
}
