import { setTimeout as delay } from "node:timers/promises";

/** How often and how long a connection is tried for. */
export interface RetryOptions {
  /** Longest time without success, in ms; then the last error is thrown. */
  readonly giveUpMs: number;
  /** Aborting it ends the waiting at once. */
  readonly signal: AbortSignal;
  /** Whether an error is one that no repetition mends. Default: none is. */
  readonly isFinal?: (error: unknown) => boolean;
  /** Called after each failed attempt that is followed by another. */
  readonly onRetry: (error: unknown, delayMs: number) => void;
  /** First pause in ms, doubled each time. Default 1000. */
  readonly initialDelayMs?: number;
  /** Longest pause in ms. Default 15 000. */
  readonly maximumDelayMs?: number;
  /** Number in [0, 1) for the jitter. Default `Math.random`. */
  readonly random?: () => number;
}

/** Settles like `promise`, or rejects with the signal's reason as soon as that is aborted. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * Opens something that may take for ever (a dropped SYN: 134 s) within a deadline. What opens too late is closed.
 *
 * @param deadlineMs time for the attempt, in ms
 * @throws when the deadline has passed, when `signal` is aborted, or what `open` throws
 */
export async function openWithin<T>(
  open: () => Promise<T>,
  close: (opened: T) => Promise<void>,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<T> {
  const opening = open();
  const timer = new AbortController();
  const late = delay(deadlineMs, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`no connection within ${deadlineMs / 1000} s`);
  });
  try {
    return await orAborted(Promise.race([opening, late]), signal);
  } catch (error) {
    // The attempt may still succeed, with nobody left to use it.
    opening.then(close).catch(() => undefined);
    throw error;
  } finally {
    timer.abort();
    late.catch(() => undefined);
  }
}

/**
 * Repeats an attempt with growing, jittered pauses. In-process, because a crash loop backs off up to five minutes
 * and looks like a bug of ours.
 *
 * @throws the last error once `giveUpMs` have passed, a final one at once; the signal's reason when it is aborted
 */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const {
    giveUpMs,
    signal,
    onRetry,
    isFinal = () => false,
    initialDelayMs = 1000,
    maximumDelayMs = 15_000,
    random = Math.random,
  } = options;
  const giveUpAt = Date.now() + giveUpMs;
  for (let pause = initialDelayMs; ; pause = Math.min(pause * 2, maximumDelayMs)) {
    try {
      signal.throwIfAborted();
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (isFinal(error)) throw error;
      const delayMs = Math.round(pause * (0.5 + random() / 2));
      if (Date.now() + delayMs > giveUpAt) {
        throw new Error(`gave up after ${giveUpMs / 1000} s without a connection`, { cause: error });
      }
      onRetry(error, delayMs);
      await orAborted(delay(delayMs, undefined, { signal }), signal);
    }
  }
}
