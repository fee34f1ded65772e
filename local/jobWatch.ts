import { setTimeout as delay } from "node:timers/promises";
import { BatchV1Api } from "@kubernetes/client-node";
import { kubeConfigOf } from "./cluster/clusterAccess";
import { diagnoseJobs, type Diagnosis, namespacesOf } from "./podDiagnosis";
import type { Target } from "../common/localStack";

/** Short against the time that the shortest job gets. */
const WATCH_MS = 3_000;

/**
 * Reads what the pods of jobs say for as long as an update runs: a job that runs out of time takes its pods with
 * it, and their logs.
 */
export class JobWatch {
  private readonly said = new Map<string, readonly string[]>();
  private readonly stop = new AbortController();
  private readonly watching: Promise<void>;

  constructor(private readonly target: Target) {
    this.watching = this.watch();
  }

  private async watch(): Promise<void> {
    while (!this.stop.signal.aborted) {
      // The cluster may be out of reach for a while; the update itself says so if it matters.
      const pods = await diagnoseJobs(this.target).catch(() => new Map<string, string[]>());
      for (const [pod, lines] of pods) this.said.set(pod, lines);
      await delay(WATCH_MS, undefined, { signal: this.stop.signal }).catch(() => undefined);
    }
  }

  /** Ends the watch. */
  async end(): Promise<void> {
    this.stop.abort();
    await this.watching;
  }

  /** What the pods of the jobs said that failed. */
  async failures(): Promise<Diagnosis> {
    const batch = kubeConfigOf(this.target).makeApiClient(BatchV1Api);
    const failed: string[] = [];
    for (const namespace of namespacesOf(this.target)) {
      const { items } = await batch.listNamespacedJob({ namespace });
      const jobs = items.filter(({ status }) =>
        status?.conditions?.some(({ type, status: value }) => type === "Failed" && value === "True"),
      );
      failed.push(...jobs.map(({ metadata }) => `${namespace}/${metadata?.name ?? ""}-`));
    }
    return new Map([...this.said].filter(([pod]) => failed.some((job) => pod.startsWith(job))));
  }
}
