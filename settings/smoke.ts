import { z } from "zod";
import { flag, integer, rule, text } from "./fields";
import { taskQueue } from "./names";
import { WORKER_IMAGE } from "./stackImages";

/** Workflow of the sample worker: goes through all that a worker does and touches nothing outside. */
const CANARY = "canary";
/** Longest argument that a client hands over, in bytes of JSON: Linux takes 128 KiB in one argument. */
const INPUT_BYTES = 64 * 1024;
const TIMEOUT_SECONDS = 120;

const input = z
  .json({ error: "a value that JSON can hold" })
  .refine((value) => Buffer.byteLength(JSON.stringify(value)) <= INPUT_BYTES, {
    error: `a value of at most ${String(INPUT_BYTES / 1024)} KiB as JSON`,
  });

/** `temporal-sys-` and `__temporal_` are the server's and the SDKs' own. The id adds a UUID; Temporal takes 1000. */
const workflowType = text(
  "the name of a workflow type: at most 900 characters, not beginning with temporal-sys- or __temporal_",
  /^(?!temporal-sys-|__temporal_)[^\p{C}\p{Z}]([^\p{C}]*[^\p{C}\p{Z}])?$/u,
  900,
);

const fields = {
  enabled: flag()
    .optional()
    .describe(
      "Whether smoke tests run a workflow, `true` by default; `false`: `npm run up`, `smoke` and `rollback` say NOT VERIFIED.",
    ),
  workflow: workflowType
    .optional()
    .describe(
      "Type of the workflow; one without effects outside, as every smoke test starts it for real. The sample worker's `canary` by default; none for groups of another image.",
    ),
  input: input.optional().describe("Its argument; none by default."),
  taskQueue: taskQueue
    .optional()
    .describe("Task queue on which it starts; by default the first one of each worker group."),
  timeoutSeconds: integer("seconds", 1, 3600)
    .optional()
    .describe(
      `Seconds after which Temporal ends the workflow as failed, ${String(TIMEOUT_SECONDS)} by default.`,
    ),
};

/** What smoke tests start through every worker group. */
export const smoke = z.strictObject(fields).prefault({});

/** What they start through one group instead. */
export const groupSmoke = z.strictObject(fields).optional();

interface Group {
  readonly image: string;
  readonly taskQueues: readonly string[];
  readonly smoke?: z.output<typeof groupSmoke>;
}

/** A workflow that shows that a worker group works. */
export interface SmokeWorkflow {
  /** Its type. */
  readonly workflow: string;
  /** Its argument, as JSON; undefined: none. */
  readonly input?: string;
  readonly taskQueue: string;
  readonly timeoutSeconds: number;
}

/** The workflow that smoke tests start through a worker group; undefined: none. */
export function smokeWorkflowOf(common: z.output<typeof smoke>, group: Group): SmokeWorkflow | undefined {
  const { smoke: own = {} } = group;
  // An argument belongs to the workflow that it is named with.
  const { workflow, input } = own.workflow === undefined ? { ...common, ...own } : own;
  const { enabled = true, taskQueue, timeoutSeconds = TIMEOUT_SECONDS } = { ...common, ...own };
  // No other image has the sample's canary.
  if (workflow === undefined && group.image !== WORKER_IMAGE) return undefined;
  const [first] = group.taskQueues;
  const queue = taskQueue ?? first;
  if (!enabled || queue === undefined || !group.taskQueues.includes(queue)) return undefined;
  // The canary takes null, so that there is an argument for its worker to decrypt.
  const argument = workflow === undefined ? (input ?? null) : input;
  return {
    workflow: workflow ?? CANARY,
    ...(argument === undefined ? {} : { input: JSON.stringify(argument) }),
    taskQueue: queue,
    timeoutSeconds,
  };
}

/** Smoke tests on task queues that nobody polls. */
export function smokeProblems(common: z.output<typeof smoke>, workers: readonly Group[]) {
  const polled = workers.flatMap(({ taskQueues }) => taskQueues);
  const nobody = (name: string, path: (string | number)[]) =>
    rule(`"${name}" is polled by no such worker group; name one of its taskQueues, or none`, path);
  return [
    ...(common.taskQueue === undefined || polled.includes(common.taskQueue)
      ? []
      : [nobody(common.taskQueue, ["smoke", "taskQueue"])]),
    ...workers.flatMap(({ taskQueues, smoke: own }, index) =>
      own?.taskQueue === undefined || taskQueues.includes(own.taskQueue)
        ? []
        : [nobody(own.taskQueue, ["workers", index, "smoke", "taskQueue"])],
    ),
  ];
}
