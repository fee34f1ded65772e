import { setTimeout as delay } from "node:timers/promises";
import type { Payload, PayloadCodec } from "@temporalio/common";
import { temporal } from "@temporalio/proto";
import { Worker } from "@temporalio/worker";
import type { ReplayResult, WorkflowBundleOption } from "@temporalio/worker";
import { DeterminismViolationError } from "@temporalio/workflow";
import { failureConverterPath } from "../codec/data-converter";
import { EncryptionCodec } from "../codec/encryption-codec";
import type { Keyring } from "../codec/keyring";
import { causeChain } from "../errors";
import type { History } from "./open-workflows";
import type { Breakage, EventReference, Verdict } from "./report";

const { EventType } = temporal.api.enums.v1;
type Event = temporal.api.history.v1.IHistoryEvent;

/** Far more than the largest history that a server keeps (51 200 events) takes. */
const REPLAY_DEADLINE_MS = 300_000;

/** Replays histories with one bundle, one at a time. */
export class Replayer {
  private next: { readonly workflowId: string; readonly history: History } | undefined;
  private readonly codec: ReplayCodec;
  private readonly results: AsyncIterableIterator<ReplayResult>;

  /**
   * @param workflowBundle workflows that were bundled by this very version of the SDK
   * @param keyring keys that payloads are read with
   */
  constructor(workflowBundle: WorkflowBundleOption, keyring: Keyring | undefined) {
    this.codec = new ReplayCodec(keyring ?? { activeKeyId: "", keys: new Map() });
    this.results = Worker.runReplayHistories(
      {
        workflowBundle,
        dataConverter: { failureConverterPath, payloadCodecs: [this.codec] },
      },
      this.pushed(),
    );
  }

  /**
   * @throws when the replay itself fails, which says nothing of the workflow
   */
  async replay(workflowId: string, history: History): Promise<Verdict> {
    const events = history.events ?? [];
    const first = events.findIndex(isType(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)) + 1;
    // Without a completed task there is nothing to compare, but a first task must find its workflow.
    const replayed = first === 0 ? withFirstTask(events) : events;
    const error = await this.outcome(workflowId, replayed);
    if (this.codec.unreadable !== undefined) return { outcome: "unchecked", reason: this.codec.unreadable };
    if (error === undefined) return { outcome: "compatible" };
    const { kind, message } = this.describe(error);
    const event =
      namedEvent(message) ??
      (first === 0 ? eventReference(events[0]) : await this.breakingEvent(workflowId, events, first));
    return { outcome: "incompatible", breakage: { kind, event, message } };
  }

  async close(): Promise<void> {
    await this.results.return?.();
  }

  private async *pushed() {
    for (let next = this.next; next !== undefined; next = this.next) {
      this.next = undefined;
      yield next;
    }
  }

  private async outcome(workflowId: string, events: readonly Event[]): Promise<Error | undefined> {
    this.codec.reset();
    this.next = { workflowId, history: { events: [...events] } };
    const timer = new AbortController();
    const late = delay(REPLAY_DEADLINE_MS, undefined, { signal: timer.signal }).then(() => {
      throw new Error(`the replay of ${workflowId} did not end within ${REPLAY_DEADLINE_MS / 1000} s`);
    });
    try {
      const result = await Promise.race([this.results.next(), late]);
      if (result.done === true) throw new Error(`the replay of ${workflowId} gave no result`);
      const { error } = result.value;
      return error;
    } finally {
      timer.abort();
      late.catch(() => undefined);
    }
  }

  private describe(error: Error): Pick<Breakage, "kind" | "message"> {
    const reported = reportedMessage(error.message);
    if (error instanceof DeterminismViolationError) return { kind: "nondeterminism", message: reported };
    const message = this.codec.failure ?? reported;
    const unknown = message.includes("no such function is exported by the workflow bundle");
    return { kind: unknown ? "unknownType" : "taskFailure", message };
  }

  /** The last event of the shortest part of a history that does not replay; the SDK does not always name it. */
  private async breakingEvent(
    workflowId: string,
    events: readonly Event[],
    shortest: number,
  ): Promise<EventReference> {
    let [low, high] = [shortest, events.length];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((await this.outcome(workflowId, events.slice(0, middle))) === undefined) low = middle + 1;
      else high = middle;
    }
    return eventReference(events[low - 1]);
  }
}

/**
 * Reads payloads as a worker does, and keeps what the SDK's error does not tell: which key was missing, and the
 * message of a failure, which the failure converter hides in a payload. What a replay writes goes nowhere, so it
 * is not encrypted.
 */
class ReplayCodec implements PayloadCodec {
  unreadable: string | undefined;
  failure: string | undefined;
  private readonly codec: EncryptionCodec;

  constructor(keyring: Keyring) {
    this.codec = new EncryptionCodec(keyring);
  }

  reset(): void {
    this.unreadable = undefined;
    this.failure = undefined;
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    for (const payload of payloads) this.failure = hiddenMessage(payload) ?? this.failure;
    return payloads;
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    try {
      return await this.codec.decode(payloads);
    } catch (error) {
      this.unreadable ??= causeChain(error).join(": ");
      throw error;
    }
  }
}

/** Message within the attributes of a failure, in the form that all SDKs encode them in. */
function hiddenMessage({ metadata, data }: Payload): string | undefined {
  if (Buffer.from(metadata?.["encoding"] ?? []).toString() !== "json/plain") return undefined;
  const value: unknown = JSON.parse(Buffer.from(data ?? []).toString());
  if (typeof value !== "object" || value === null || !("stack_trace" in value) || !("message" in value)) {
    return undefined;
  }
  return typeof value.message === "string" ? value.message : undefined;
}

/** The core library's own message, out of the debug form in which its failure arrives. */
function reportedMessage(details: string): string {
  const text = /\bmessage: "((?:[^"\\]|\\.)*)"/.exec(details)?.[1];
  return text === undefined ? details : text.replace(/\\(["\\])/g, "$1");
}

function namedEvent(message: string): EventReference | undefined {
  const [, id, type] = /HistoryEvent\(id: (\d+), (\w+)\)/.exec(message) ?? [];
  return id === undefined || type === undefined ? undefined : { id: Number(id), type };
}

const isType =
  (type: temporal.api.enums.v1.EventType) =>
  ({ eventType }: Event): boolean =>
    eventType === type;

/** `EVENT_TYPE_TIMER_STARTED` as the UI writes it: `TimerStarted`. */
function eventReference(event: Event | undefined): EventReference {
  const words = (EventType[event?.eventType ?? 0] ?? "").replace(/^EVENT_TYPE_/, "").split("_");
  return {
    id: Number(event?.eventId ?? 0),
    type: words.map((word) => word.charAt(0) + word.slice(1).toLowerCase()).join(""),
  };
}

/** The start of a workflow, followed by the first task that a worker will be given for it. */
function withFirstTask([started]: readonly Event[]): Event[] {
  const { events } = temporal.api.history.v1.History.fromObject({
    events: [
      {
        eventId: 2,
        eventType: "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED",
        workflowTaskScheduledEventAttributes: {},
      },
      {
        eventId: 3,
        eventType: "EVENT_TYPE_WORKFLOW_TASK_STARTED",
        workflowTaskStartedEventAttributes: { scheduledEventId: 2 },
      },
      {
        eventId: 4,
        eventType: "EVENT_TYPE_WORKFLOW_TASK_COMPLETED",
        workflowTaskCompletedEventAttributes: { scheduledEventId: 2, startedEventId: 3 },
      },
    ].map((event) => ({ ...event, eventTime: started?.eventTime })),
  });
  return [started ?? {}, ...events];
}
