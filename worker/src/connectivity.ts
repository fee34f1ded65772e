/** How Temporal's reachability is watched. */
export interface ConnectivityOptions {
  /** Asks Temporal something cheap; rejects when it does not answer. */
  readonly probe: () => Promise<unknown>;
  /** Time between two probes, in ms. Default 10 000. */
  readonly intervalMs?: number;
  /** How long one good answer counts, in ms. Default 30 000: two probes may be lost. */
  readonly validMs?: number;
  readonly now?: () => number;
  /** Called once when the last good answer has become too old. */
  readonly onLost: (error: unknown) => void;
  /** Called once when Temporal answers again after a loss. */
  readonly onRestored: (lostForMs: number) => void;
}

/**
 * Knows whether Temporal answers. The SDK cannot tell: a worker stays RUNNING while its server is away.
 */
export class Connectivity {
  private readonly intervalMs: number;
  private readonly validMs: number;
  private readonly now: () => number;
  private lastAnswer: number;
  private lost = false;
  private lastError: unknown;
  private timer: NodeJS.Timeout | undefined;

  /** Begins as connected: it is made for a connection that has just been opened. */
  constructor(private readonly options: ConnectivityOptions) {
    this.intervalMs = options.intervalMs ?? 10_000;
    this.validMs = options.validMs ?? 30_000;
    this.now = options.now ?? Date.now;
    this.lastAnswer = this.now();
  }

  /** Whether Temporal answered recently enough. */
  get connected(): boolean {
    return this.now() - this.lastAnswer <= this.validMs;
  }

  /** Why the last probe failed; undefined when it did not. */
  get error(): unknown {
    return this.lastError;
  }

  start(): void {
    const next = (): void => {
      this.timer = setTimeout(() => void this.check().then(next), this.intervalMs);
      this.timer.unref();
    };
    next();
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
      this.lastAnswer = this.now();
      this.lastError = undefined;
      if (this.lost) {
        this.lost = false;
        this.options.onRestored(lostForMs);
      }
    } catch (error) {
      this.lastError = error;
      if (!this.connected && !this.lost) {
        this.lost = true;
        this.options.onLost(error);
      }
    }
  }
}
