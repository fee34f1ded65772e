import type { ActivityOptions } from "@temporalio/workflow";
import { z } from "zod";
import type { RecordedHistory } from "../histories";

const seconds = z.string().regex(/^[\d.]+s$/);
const scheduledSchema = z.object({
  activityTaskScheduledEventAttributes: z.object({
    activityType: z.object({ name: z.string() }),
    startToCloseTimeout: seconds,
    scheduleToCloseTimeout: seconds,
    heartbeatTimeout: seconds,
    retryPolicy: z.object({
      initialInterval: seconds,
      backoffCoefficient: z.number(),
      maximumInterval: seconds,
      nonRetryableErrorTypes: z.array(z.string()).default([]),
    }),
  }),
});

/** How long and how often an activity is tried, times in ms. */
export type Scheduled = Readonly<Record<string, unknown>>;

/**
 * As a workflow schedules an activity now. What its options leave out, the server chooses:
 * https://docs.temporal.io/encyclopedia/retry-policies#default-values-for-retry-policy
 */
export function scheduledNow(activity: string, options: ActivityOptions): Scheduled {
  const { retry = {} } = options;
  const initialInterval = toMs(retry.initialInterval ?? "1 s");
  return {
    activity,
    startToClose: optionalMs(options.startToCloseTimeout),
    scheduleToClose: optionalMs(options.scheduleToCloseTimeout),
    heartbeat: optionalMs(options.heartbeatTimeout),
    initialInterval,
    backoff: retry.backoffCoefficient ?? 2,
    maximumInterval:
      retry.maximumInterval === undefined ? 100 * initialInterval : toMs(retry.maximumInterval),
    final: retry.nonRetryableErrorTypes ?? [],
  };
}

const optionalMs = (duration: unknown): number => (duration === undefined ? 0 : toMs(duration));

const UNITS: Readonly<Record<string, number>> = {
  ...{ ms: 1, s: 1000, min: 60_000, h: 3_600_000 },
  ...{ day: 86_400_000, days: 86_400_000 },
};

/** Of a duration as the workflows write it, such as `10 s`. */
function toMs(duration: unknown): number {
  const [, amount = "", unit = ""] = /^(\d+) (\w+)$/.exec(String(duration)) ?? [];
  const { [unit]: unitMs } = UNITS;
  if (unitMs === undefined) throw new Error(`${String(duration)}: no number and unit`);
  return Number(amount) * unitMs;
}

/** As it did when a history was recorded. */
export function scheduledThen({ history }: RecordedHistory): Scheduled[] {
  return history.events.flatMap((event) => {
    const { data } = scheduledSchema.safeParse(event);
    if (data === undefined) return [];
    const { activityType, retryPolicy: retry, ...times } = data.activityTaskScheduledEventAttributes;
    return {
      activity: activityType.name,
      startToClose: ms(times.startToCloseTimeout),
      scheduleToClose: ms(times.scheduleToCloseTimeout),
      heartbeat: ms(times.heartbeatTimeout),
      initialInterval: ms(retry.initialInterval),
      backoff: retry.backoffCoefficient,
      maximumInterval: ms(retry.maximumInterval),
      final: retry.nonRetryableErrorTypes,
    };
  });
}

const ms = (text: string): number => Number(text.slice(0, -1)) * 1000;

const failedSchema = z.object({
  workflowExecutionFailedEventAttributes: z.object({
    failure: z.object({ applicationFailureInfo: z.object({ type: z.string() }) }),
  }),
});

/** Type of the failure that a workflow ended with; undefined if it did not fail. */
export const failureType = ({ history }: RecordedHistory): string | undefined =>
  failedSchema.safeParse(history.events.at(-1)).data?.workflowExecutionFailedEventAttributes.failure
    .applicationFailureInfo.type;

const completedSchema = z.looseObject({
  activityTaskCompletedEventAttributes: z.object({
    scheduledEventId: z.string(),
    startedEventId: z.string(),
  }),
});

/** The same history, but that an activity failed for good instead. */
export function withFailed(recorded: RecordedHistory, activity: string): RecordedHistory {
  const scheduled = recorded.history.events.find(
    (event) =>
      scheduledSchema.safeParse(event).data?.activityTaskScheduledEventAttributes.activityType.name ===
      activity,
  );
  const events = recorded.history.events.map((event) => {
    const { data } = completedSchema.safeParse(event);
    if (data?.activityTaskCompletedEventAttributes.scheduledEventId !== scheduled?.["eventId"]) return event;
    const { activityTaskCompletedEventAttributes: attributes, ...rest } = data ?? {};
    return {
      ...rest,
      eventType: "EVENT_TYPE_ACTIVITY_TASK_FAILED",
      activityTaskFailedEventAttributes: {
        ...attributes,
        failure: { message: "lost", applicationFailureInfo: { type: "Lost", nonRetryable: true } },
        retryState: "RETRY_STATE_NON_RETRYABLE_FAILURE",
      },
    };
  });
  return { ...recorded, history: { ...recorded.history, events } };
}
