import { type Figure, figure } from "../table";
import { relativeThroughput } from "./throughput";
import type { Measured, Turns } from "./turns";

/** What encryption and tracing take of the throughput, in percent; what disappears in the noise may be negative. */
export function costFigures({
  ours,
  encrypted,
  traced,
}: Pick<Turns, "ours" | "encrypted" | "traced">): Figure[] {
  const cost = (variant: Measured): number => (1 - relativeThroughput(variant, ours)) * 100;
  const cpu = (variant: Measured): number => (variant.cpuMs / ours.cpuMs - 1) * 100;
  return [
    figure("payload encryption takes of the throughput", cost(encrypted), "percent"),
    figure("  more time of the processors in the worker", cpu(encrypted), "percent"),
    figure("tracing at 0.1 takes of the throughput", cost(traced), "percent"),
    figure("  more time of the processors in the worker", cpu(traced), "percent"),
  ];
}
