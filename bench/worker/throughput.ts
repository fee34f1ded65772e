import { type Figure, figure, median, ratio } from "../table";
import type { Load, Measured, Turns } from "./turns";

/** A tenth of the processors' time for metrics, limits on memory and the rest of the process. */
const CPU_LIMIT = 1.1;

/**
 * How many orders one worker does, with our settings and with the SDK's defaults, and the memory for it.
 *
 * @param load in the figures' names
 */
export function throughputFigures(
  { defaults, ours, serverCpuMs }: Pick<Turns, "defaults" | "ours" | "serverCpuMs">,
  load: Load,
): Figure[] {
  const where = `one process, no container, ${load.concurrency} orders at once`;
  return [
    figure(`throughput with our settings, ${where}`, median(ours.throughput), "perSecond"),
    figure(`throughput with the SDK's defaults, ${where}`, median(defaults.throughput), "perSecond"),
    figure(
      `throughput with our settings ÷ the SDK's defaults, median of ${load.rounds}`,
      relativeThroughput(ours, defaults),
      "ratio",
    ),
    figure("time of the processors for one order, our settings with metrics", ours.cpuMs, "ms"),
    figure("  the same, the SDK's defaults", defaults.cpuMs, "ms"),
    ratio(
      "time of the processors for one order ÷ the SDK's defaults",
      ours.cpuMs / defaults.cpuMs,
      CPU_LIMIT,
    ),
    figure("  the same, the server's part", serverCpuMs, "ms"),
    figure("peak memory with our settings", ours.peakMebibytes, "MiB"),
    figure("peak memory with the SDK's defaults", defaults.peakMebibytes, "MiB"),
  ];
}

/** Median over the rounds: what else the machine does in a round meets both. */
export function relativeThroughput(
  one: Pick<Measured, "throughput">,
  other: Pick<Measured, "throughput">,
): number {
  return median(one.throughput.map((value, round) => value / (other.throughput[round] ?? Number.NaN)));
}
