import { totalmem } from "node:os";
import { getHeapStatistics } from "node:v8";

const MIB = 1024 ** 2;

/** What a process may use, in bytes. */
export interface Memory {
  /** Of the container, or of the machine where there is none. */
  readonly limit: number;
  /** Of the heap of one thread: each task queue's workflow thread has a heap of its own. */
  readonly heapLimit: number;
}

/** What a process takes on at the same time. */
export interface Capacity {
  /** Workflows kept in memory between their tasks; one that is not is replayed from its history. */
  readonly cachedWorkflows: number;
  readonly activities: number;
  readonly workflowTasks: number;
}

/** What this process may use, by its cgroup and by the heap options that node was started with. */
export function ownMemory(): Memory {
  const constrained = process.constrainedMemory();
  return {
    limit: Math.min(totalmem(), constrained > 0 ? constrained : Number.POSITIVE_INFINITY),
    heapLimit: getHeapStatistics().heap_size_limit,
  };
}

/*
 * What one item takes, in bytes, when each of its payloads is as large as Temporal lets it be (2 MiB), encrypted:
 * such a payload exists up to ten times at once, as gRPC message, ciphertext, plaintext, JSON and objects. Measured
 * with SDK 1.24 on Node 20 and 24; test/server/memory.test.ts proves the sum.
 */
const BASE = 192 * MIB;
const CACHED_WORKFLOW = 4.5 * MIB;
const CACHED_WORKFLOW_HEAP = 3 * MIB;
const WORKFLOW_TASK = 10 * MIB;
const ACTIVITY = 12 * MIB;

/** Shares of what is left of the limit beside the process itself; the rest is garbage that waits for collection. */
const CACHE_SHARE = 0.4;
const WORKFLOW_TASK_SHARE = 0.15;
const ACTIVITY_SHARE = 0.35;
/** Share of the workflow threads' heaps that cached workflows may fill. */
const HEAP_SHARE = 0.6;

/** Beyond these a process gains nothing: the SDK's own defaults for slots, and what one CPU can keep busy. */
const MOST: Capacity = { cachedWorkflows: 1000, activities: 100, workflowTasks: 40 };

/**
 * What a process can take on without running out of memory, however large the payloads.
 *
 * @param queues number of task queues, each of which gets at least what a worker needs
 */
export function fittingCapacity({ limit, heapLimit }: Memory, queues: number): Capacity {
  const room = Math.max(limit - BASE, 0);
  const between = (least: number, wanted: number, most: number): number =>
    Math.max(least, Math.min(Math.floor(wanted), most));
  const cachedWorkflows = between(
    2 * queues,
    Math.min(
      (room * CACHE_SHARE) / CACHED_WORKFLOW,
      (queues * heapLimit * HEAP_SHARE) / CACHED_WORKFLOW_HEAP,
    ),
    MOST.cachedWorkflows,
  );
  return {
    cachedWorkflows,
    activities: between(queues, (room * ACTIVITY_SHARE) / ACTIVITY, MOST.activities),
    workflowTasks: between(
      2 * queues,
      (room * WORKFLOW_TASK_SHARE) / WORKFLOW_TASK,
      Math.min(MOST.workflowTasks, cachedWorkflows),
    ),
  };
}

/** Divides what a process takes on evenly between its task queues; the first get what does not divide. */
export function divided(
  whole: Capacity,
  taskQueues: readonly string[],
): (Capacity & { taskQueue: string })[] {
  const count = taskQueues.length;
  const share = (total: number, index: number): number => Math.floor((total + count - 1 - index) / count);
  return taskQueues.map((taskQueue, index) => ({
    taskQueue,
    cachedWorkflows: share(whole.cachedWorkflows, index),
    activities: share(whole.activities, index),
    workflowTasks: share(whole.workflowTasks, index),
  }));
}
