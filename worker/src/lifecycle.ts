import type { Connectivity } from "./connectivity";
import { causeChain } from "./errors";
import type { Checks } from "./health";

/** Where the process is on its way; it never goes back. */
export const PHASES = ["starting", "connecting", "running", "draining", "stopped"] as const;
export type Phase = (typeof PHASES)[number];

/** What the lifecycle looks at while a worker runs. */
export interface Running {
  /** The SDK's state of each worker, such as RUNNING or FAILED. */
  readonly workerStates: () => readonly string[];
  readonly connectivity: Pick<Connectivity, "connected" | "error">;
}

/** The phase of the process, and what the health endpoints make of it. */
export class Lifecycle {
  private current: Phase = "starting";
  private running: Running | undefined;
  private failure: unknown;

  get phase(): Phase {
    return this.current;
  }

  /** Goes on to a later phase; an earlier one is ignored, as when a signal overtakes the connecting. */
  advance(phase: Exclude<Phase, "running">): void {
    if (PHASES.indexOf(phase) > PHASES.indexOf(this.current)) this.current = phase;
  }

  /** Goes on to `running`. */
  run(running: Running): void {
    this.running = running;
    if (PHASES.indexOf("running") > PHASES.indexOf(this.current)) this.current = "running";
  }

  /** Notes why Temporal could not be reached; shown by `/readyz`. */
  connectFailed(error: unknown): void {
    this.failure = error;
  }

  /**
   * `/startupz`: settings, listener and bundle are good. `/livez`: the main loop answers and no worker has
   * failed; independent of Temporal, whose outage no restart mends. `/readyz`: Temporal answers and polls succeed.
   */
  readonly checks: Checks = {
    "/startupz": () => ({ ok: this.current !== "starting", phase: this.current }),
    "/livez": () => ({ ok: !this.running?.workerStates().includes("FAILED"), phase: this.current }),
    "/readyz": () => this.readiness(),
  };

  private readiness(): ReturnType<Checks[string]> {
    const { current: phase, running } = this;
    if (phase !== "running" || running === undefined) {
      return {
        ok: false,
        phase,
        ...(this.failure === undefined ? {} : { error: causeChain(this.failure).join(" <- ") }),
      };
    }
    const workers = running.workerStates();
    const { connected, error } = running.connectivity;
    return {
      ok: workers.every((state) => state === "RUNNING") && connected,
      phase,
      workers,
      connected,
      ...(error === undefined ? {} : { error: causeChain(error).join(" <- ") }),
    };
  }
}
