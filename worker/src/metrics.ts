import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import { readdirSync } from "node:fs";
import { getHeapStatistics } from "node:v8";
import type { MetricMeter } from "@temporalio/common";
import { z } from "zod";
import type { BuildInfo } from "./build-info";

const NANOSECONDS = 1e9;
const MILLISECONDS = 1e3;
const MICROSECONDS = 1e6;
const LOOP_INTERVAL_MS = 20;

/** Histograms that are not the SDK's, and their buckets; belongs into the runtime's telemetry options. */
export const PROCESS_HISTOGRAM_BUCKETS = { nodejs_gc_duration_seconds: [0.001, 0.01, 0.1, 1, 2, 5] };

/** V8's kinds of garbage collection, by the number that performance entries carry (`perf_hooks.constants`). */
const GC_KINDS: Readonly<Record<number, string>> = { 1: "minor", 4: "major", 8: "incremental", 16: "weakcb" };
const gcEntry = z.object({ duration: z.number(), detail: z.object({ kind: z.number() }) });

/**
 * Publishes what the process itself uses, beside the SDK's metrics on the same port; the names are those of
 * Prometheus' client libraries. Everything about heap, loop and garbage collection is of the main thread.
 *
 * @param meter taken after the connection was opened: a runtime that was closed meanwhile leaves its gauges dead
 * @param build labels of `worker_build_info`
 * @param intervalMs time between two samples, in ms. Default 5000
 * @returns stops the sampling
 */
export function startProcessMetrics(meter: MetricMeter, build: BuildInfo, intervalMs = 5000): () => void {
  const gauge = (name: string, unit: string, description: string) =>
    meter.createGauge(name, "float", unit, description);

  // Constant, but set with every sample: a gauge of an empty runtime may be lost.
  const info = gauge("worker_build_info", "", "Always 1; what runs stands in the labels");
  const started = gauge("process_start_time_seconds", "seconds", "Start of the process, in Unix time");
  const cpu = gauge("process_cpu_seconds_total", "seconds", "CPU time of all threads, user and system");
  const resident = gauge("process_resident_memory_bytes", "bytes", "Resident set size");
  const files = gauge("process_open_fds", "", "Open file descriptors");
  const resources = gauge("nodejs_active_resources_total", "", "Resources that keep the event loop alive");
  const heapUsed = gauge("nodejs_heap_size_used_bytes", "bytes", "Heap in use");
  const heapLimit = gauge(
    "nodejs_heap_size_limit_bytes",
    "bytes",
    "Heap at which the process runs out of memory",
  );
  const external = gauge("nodejs_external_memory_bytes", "bytes", "Memory of buffers and of C++ objects");
  const lagMax = gauge(
    "nodejs_eventloop_lag_max_seconds",
    "seconds",
    "Longest event loop delay since the last sample",
  );
  const lagP99 = gauge(
    "nodejs_eventloop_lag_p99_seconds",
    "seconds",
    "99th percentile of the event loop delay since the last sample",
  );
  const collections = meter.createHistogram(
    "nodejs_gc_duration_seconds",
    "float",
    "", // The SDK would append the unit to the name of a histogram once more.
    "Duration of garbage collections by kind: minor, major, incremental, weakcb",
  );

  const startedAt = Date.now() / MILLISECONDS - process.uptime();
  const loop = monitorEventLoopDelay({ resolution: LOOP_INTERVAL_MS });
  // The histogram holds times between two samples, which are the interval and the delay.
  const lag = (nanoseconds: number): number =>
    Math.max(0, nanoseconds / NANOSECONDS - LOOP_INTERVAL_MS / MILLISECONDS);
  loop.enable();
  const sample = (): void => {
    const heap = getHeapStatistics();
    const usage = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    info.set(1, { version: build.version, build_id: build.buildId, node_version: process.versions.node });
    started.set(startedAt);
    cpu.set((user + system) / MICROSECONDS);
    resident.set(usage.rss);
    external.set(usage.external);
    resources.set(process.getActiveResourcesInfo().length);
    const open = openFiles();
    if (open !== undefined) files.set(open);
    heapUsed.set(heap.used_heap_size);
    heapLimit.set(heap.heap_size_limit);
    lagMax.set(lag(loop.max));
    lagP99.set(lag(loop.percentile(99)));
    loop.reset();
  };
  sample();
  const timer = setInterval(sample, intervalMs);
  timer.unref();

  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { duration, detail } = gcEntry.parse(entry);
      collections.record(duration / MILLISECONDS, { kind: GC_KINDS[detail.kind] ?? "other" });
    }
  });
  observer.observe({ entryTypes: ["gc"] });

  return () => {
    clearInterval(timer);
    loop.disable();
    observer.disconnect();
  };
}

/** Undefined where the system has no such list. */
function openFiles(): number | undefined {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return undefined;
  }
}
