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

export function fittingCapacity(_: Memory, queues: number): Capacity {
  void MIB;
  return { cachedWorkflows: 300 * queues, activities: 100, workflowTasks: 40 };
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
