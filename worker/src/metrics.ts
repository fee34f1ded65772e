import { monitorEventLoopDelay } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import type { MetricMeter } from "@temporalio/common";

const NANOSECONDS = 1e9;

/**
 * Publishes what the process itself uses, beside the SDK's metrics on the same port.
 *
 * @param meter taken after the connection was opened: a runtime that was closed meanwhile leaves its gauges dead
 * @param intervalMs time between two samples, in ms. Default 5000
 * @returns stops the sampling
 */
export function startProcessMetrics(meter: MetricMeter, intervalMs = 5000): () => void {
  const gauge = (name: string, unit: string, description: string) =>
    meter.createGauge(name, "float", unit, description);
  const resident = gauge("process_resident_memory_bytes", "bytes", "Resident set size");
  const heapUsed = gauge("nodejs_heap_used_bytes", "bytes", "Heap in use, main thread");
  const heapLimit = gauge("nodejs_heap_limit_bytes", "bytes", "Heap limit, main thread");
  const lag = gauge(
    "nodejs_eventloop_lag_max_seconds",
    "seconds",
    "Longest event loop delay since the last sample",
  );

  const loop = monitorEventLoopDelay({ resolution: 20 });
  loop.enable();
  const sample = (): void => {
    const heap = getHeapStatistics();
    resident.set(process.memoryUsage.rss());
    heapUsed.set(heap.used_heap_size);
    heapLimit.set(heap.heap_size_limit);
    lag.set(loop.max / NANOSECONDS);
    loop.reset();
  };
  sample();
  const timer = setInterval(sample, intervalMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    loop.disable();
  };
}
