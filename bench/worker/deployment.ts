import { workerEnvironment } from "../../components/manifests/workerManifests";
import { settingsSchema } from "../../settings/settings";
import { bytesOf } from "../../settings/quantity";
import { heapPercent } from "../../settings/workers";
import { fittingCapacity } from "../../worker/src/memory";

const MIB = 1024 ** 2;

/** Where a measured worker works, and what it does beside. */
export interface Deployed {
  /** Of the Temporal server, `host:port`. */
  readonly address: string;
  readonly taskQueue: string;
  /** Default: payloads are not encrypted. */
  readonly keyring?: Keyring | undefined;
  /** Base URL of an OTLP receiver. Default: no tracing. */
  readonly traceEndpoint?: string | undefined;
}

/** A folder of payload keys, and which of them writes. */
export interface Keyring {
  readonly folder: string;
  readonly active: string;
}

/** The environment that the Deployment of a worker with default settings gives it, but for addresses and paths. */
export function deployedEnvironment(deployed: Deployed): Record<string, string> {
  const { address, taskQueue, keyring, traceEndpoint } = deployed;
  const settings = settingsSchema.parse({
    temporal: { mode: "devServer" },
    workerImage: { repository: "registry.example.com/worker" },
    workers: [{ name: "bench", taskQueues: [taskQueue] }],
    payloadEncryption:
      keyring === undefined ? { enabled: false } : { keys: [keyring.active], activeKey: keyring.active },
    ...(traceEndpoint === undefined
      ? {}
      : { tracing: { endpoint: traceEndpoint, network: { cidrs: ["127.0.0.1/32"] } } }),
  });
  return {
    ...settings.workers.map((worker) => workerEnvironment({ ...settings }, worker))[0],
    TEMPORAL_ADDRESS: address,
    ...(keyring === undefined ? {} : { CODEC_KEYS_DIR: keyring.folder }),
  };
}

/** Memory limit of a worker with default settings, in bytes. */
export function deployedMemory(): number {
  const [worker] = settingsSchema.shape.workers.parse([{ name: "bench", taskQueues: ["bench"] }]);
  const bytes = worker === undefined ? undefined : bytesOf(worker.resources.limits.memory);
  if (bytes === undefined) throw new Error("settings without a memory limit");
  return bytes;
}

/**
 * What a worker with one task queue derives from a memory limit, for a process without one: its heap and what it
 * takes on. The percentage of the Deployment's `NODE_OPTIONS` needs a container, and Node 22.
 *
 * @param limit in bytes
 */
export function asIfLimited(limit: number): Record<string, string> {
  const heapLimit = (limit * heapPercent(1)) / 100;
  const { cachedWorkflows, activities, workflowTasks } = fittingCapacity({ limit, heapLimit }, 1);
  return {
    NODE_OPTIONS: `--max-old-space-size=${Math.floor(heapLimit / MIB)}`,
    MAX_CACHED_WORKFLOWS: String(cachedWorkflows),
    ACTIVITY_SLOTS: String(activities),
    WORKFLOW_TASK_SLOTS: String(workflowTasks),
  };
}
