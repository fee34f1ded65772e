/*
 * What a worker tells its workflow threads about itself: they have no environment to read. It is about the process
 * that runs now, never about the workflow, so that no history depends on it.
 */
declare global {
  /** True in a worker that takes part in worker versioning. */
  var workerVersioning: true | undefined;
  /** Share of the traces that are sampled, 0 to 1; undefined while tracing is off. */
  var tracingSampleRatio: number | undefined;
}

/** Globals of the workflow threads. */
export type WorkflowGlobals = Partial<Pick<typeof globalThis, "workerVersioning" | "tracingSampleRatio">>;
