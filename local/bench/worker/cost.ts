import { type Figure, figure } from "../table";
import { relativeThroughput } from "./throughput";
import type { Measured, Variant } from "./turns";

/** What encryption and tracing take of the throughput, in percent; what disappears in the noise may be negative. */
export function costFigures({
  ours,
  encrypted,
  traced,
}: Pick<Record<Variant, Measured>, "ours" | "encrypted" | "traced">): Figure[] {
  const cost = (variant: Measured): number => (1 - relativeThroughput(variant, ours)) * 100;
  return [
    figure("payload encryption takes of the throughput", cost(encrypted), "percent"),
    figure("tracing at 0.1 takes of the throughput", cost(traced), "percent"),
  ];
}
