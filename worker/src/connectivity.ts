/** How it is watched whether Temporal can be used. */
export interface ConnectivityOptions {
  /** Finds out whether Temporal answers and polls succeed; rejects when not. */
  readonly probe: () => Promise<unknown>;
  /** Whether a probe failed with a refusal, which counts at once: waiting mends nothing. Default: none is. */
  readonly isRefusal?: (error: unknown) => boolean;
  /** Time between two probes, in ms. Default 10 000. */
  readonly intervalMs?: number;
  /** Time between probes before the first good answer, in ms, doubled each time up to `intervalMs`. Default 250. */
  readonly firstIntervalMs?: number;
  /** How long one good answer counts, in ms. Default 30 000: two probes may be lost. */
  readonly validMs?: number;
  readonly now?: () => number;
  /** Called once when Temporal refuses, or when the last good answer has become too old. */
  readonly onLost: (error: unknown) => void;
  /** Called once when Temporal can be used again after a loss. */
  readonly onRestored: (lostForMs: number) => void;
}

/**
 * Knows whether Temporal can be used. The SDK cannot tell: a worker stays RUNNING while its server is away.
 */
export class Connectivity {
  private readonly intervalMs: number;
  private readonly validMs: number;
  private readonly now: () => number;
  private answered = false;
  private lastAnswer: number;
  private lost = false;
  private lastError: unknown;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: ConnectivityOptions) {
    this.intervalMs = options.intervalMs ?? 10_000;
    this.validMs = options.validMs ?? 30_000;
    this.now = options.now ?? Date.now;
    this.lastAnswer = this.now();
  }

  /** Whether the last good answer is recent enough, and no refusal came after it. */
  get connected(): boolean {
    return this.answered && !this.lost && this.isRecent;
  }

  /** Why the last probe failed; undefined when it did not. */
  get error(): unknown {
    return this.lastError;
  }

  start(): void {
    const first = this.options.firstIntervalMs ?? 250;
    const next = (afterMs: number): void => {
      this.timer = setTimeout(() => {
        void this.check().then(() => {
          if (this.timer === undefined) return;
          next(this.answered ? this.intervalMs : Math.min(Math.max(afterMs * 2, first), this.intervalMs));
        });
      }, afterMs);
      this.timer.unref();
    };
    next(0);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** One probe; never rejects. */
  async check(): Promise<void> {
    try {
      await this.options.probe();
      const lostForMs = this.now() - this.lastAnswer;
      this.answered = true;
      this.lastAnswer = this.now();
      this.lastError = undefined;
      if (this.lost) {
        this.lost = false;
        this.options.onRestored(lostForMs);
      }
    } catch (error) {
      this.lastError = error;
      const refused = this.options.isRefusal?.(error) ?? false;
      if ((refused || !this.isRecent) && !this.lost) {
        this.lost = true;
        this.options.onLost(error);
      }
    }
  }

  private get isRecent(): boolean {
    return this.now() - this.lastAnswer <= this.validMs;
  }
}
