import {
  ApplicationFailure,
  continueAsNew,
  executeChild,
  proxyActivities,
  proxyLocalActivities,
  sleep,
  workflowInfo,
} from "@temporalio/workflow";
import type { Activities } from "../activities/types";
import { integerFrom, object, optional } from "../domain/validation";
import { refuseInvalid } from "./support/refusal";
import { declareVersioning } from "./support/versioning";

const TIMER_MS = 100;
/** Fails a canary that nobody answers, instead of letting it wait for ever. */
const STEP_TIMEOUT = "1 min";

const remote = proxyActivities<Activities>({
  startToCloseTimeout: "5 s",
  scheduleToCloseTimeout: STEP_TIMEOUT,
});
const local = proxyLocalActivities<Activities>({
  startToCloseTimeout: "5 s",
  scheduleToCloseTimeout: STEP_TIMEOUT,
});

/** How long each step took, in ms, as the history has it: waiting for a worker included. */
export interface CanaryLatencies {
  /** Start of the workflow to its first task. */
  readonly start: number;
  /** What the timer took beyond its time. */
  readonly timer: number;
  readonly activity: number;
  readonly localActivity: number;
  readonly childWorkflow: number;
  /** End of the first run to the first task of the next one. */
  readonly continueAsNew: number;
}

/** What the canary found. */
export interface CanaryResult {
  /** The build that ran it: the worker's build id, or the checksum of the workflow bundle where there is none. */
  readonly buildId: string;
  readonly latenciesMs: CanaryLatencies;
}

/** What the first run hands to the next. */
export interface CanaryProgress {
  readonly latenciesMs: Omit<CanaryLatencies, "continueAsNew">;
  readonly continuedAt: number;
}

/** Tools that know no absent input send `null`. */
const progressCheck = optional(object({ latenciesMs: object({}), continuedAt: integerFrom(0) }));

const buildId = (): string => workflowInfo().currentDeploymentVersion?.buildId ?? "";

async function timed(step: () => Promise<unknown>): Promise<number> {
  const before = Date.now();
  await step();
  return Date.now() - before;
}

function expectEcho(sent: string, answer: string): void {
  if (answer === sent) return;
  throw ApplicationFailure.create({
    type: "CanaryFailed",
    message: `sent ${sent}, was answered ${answer}`,
    nonRetryable: true,
  });
}

/**
 * Goes through everything that a worker does, once: timer, activity, local activity, child workflow and
 * continue-as-new. Run it after a deployment; with a versioned worker pinned to the new build.
 *
 * @param progress handed from run to run; start it without
 * @throws ApplicationFailure `InvalidCanary` when the progress is none, `CanaryFailed` when an answer is not what was sent; ActivityFailure when a step ran
 * out of time
 */
export async function canary(progress?: CanaryProgress | null): Promise<CanaryResult> {
  refuseInvalid("InvalidCanary", progressCheck(progress ?? undefined, ""));
  if (progress !== undefined && progress !== null) {
    const { latenciesMs, continuedAt } = progress;
    return { buildId: buildId(), latenciesMs: { ...latenciesMs, continueAsNew: Date.now() - continuedAt } };
  }
  const { workflowId, startTime } = workflowInfo();
  const latenciesMs = {
    start: Date.now() - startTime.getTime(),
    timer: (await timed(() => sleep(TIMER_MS))) - TIMER_MS,
    activity: await timed(async () => expectEcho(workflowId, await remote.echo(workflowId))),
    localActivity: await timed(async () => expectEcho(workflowId, await local.echo(workflowId))),
    childWorkflow: await timed(async () =>
      expectEcho(
        workflowId,
        await executeChild(canaryChild, {
          workflowId: `${workflowId}/child`,
          workflowExecutionTimeout: STEP_TIMEOUT,
          args: [workflowId],
        }),
      ),
    ),
  };
  return continueAsNew<typeof canary>({ latenciesMs, continuedAt: Date.now() });
}

/** The child workflow of `canary`: answers what it was sent. */
export async function canaryChild(text: string): Promise<string> {
  return Promise.resolve(text);
}

// They take a second and are there to try one build.
declareVersioning("PINNED", canary);
declareVersioning("PINNED", canaryChild);
