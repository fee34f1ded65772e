import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { order } from "../support";

const PAUSE_MS = 300;

/** What came of a load. */
export interface LoadResult {
  /** Ids of the workflows whose start was acknowledged. */
  readonly accepted: readonly string[];
  /** Starts that were refused. */
  readonly refused: number;
  /** Longest time from one acknowledged start to the next. */
  readonly longestGapMs: number;
}

/** Orders that are started one after the other, until it is stopped. */
export class Load {
  private readonly accepted: string[] = [];
  private refused = 0;
  private lastSuccess = Date.now();
  private longestGapMs = 0;
  private giveUpAt = Infinity;
  private readonly running: Promise<void>;

  private constructor() {
    this.running = this.run();
  }

  static start(): Load {
    return new Load();
  }

  private async run(): Promise<void> {
    for (;;) {
      const { exitCode, orders } = await order("--start-only");
      this.accepted.push(...orders.map(({ workflowId }) => workflowId));
      if (exitCode === 0) {
        this.longestGapMs = Math.max(this.longestGapMs, Date.now() - this.lastSuccess);
        this.lastSuccess = Date.now();
        if (this.giveUpAt !== Infinity) return;
      } else this.refused++;
      assert.ok(Date.now() < this.giveUpAt, `no order could be started since ${this.refused} attempts`);
      await delay(PAUSE_MS);
    }
  }

  /** Ends it once workflows can be started again; fails when that takes longer than two minutes. */
  async stopAfterNextSuccess(): Promise<LoadResult> {
    this.giveUpAt = Date.now() + 120_000;
    await this.running;
    const { accepted, refused, longestGapMs } = this;
    return { accepted, refused, longestGapMs };
  }
}
