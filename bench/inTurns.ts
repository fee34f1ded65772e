import { median } from "./table";

/**
 * Measures two things in turns, so that what else the machine does meets both. The first run of each fills the caches
 * of files and is not counted.
 *
 * @param runs how often each is measured
 * @param one measures the first, by whatever unit
 * @param other measures the second, by the same unit
 * @returns the median of each
 */
export async function inTurns(
  runs: number,
  one: (run: number) => Promise<number>,
  other: (run: number) => Promise<number>,
): Promise<readonly [one: number, other: number]> {
  const measured: { one: number[]; other: number[] } = { one: [], other: [] };
  for (let run = 0; run <= runs; run++) {
    const values = { one: await one(run), other: await other(run) };
    if (run === 0) continue;
    measured.one.push(values.one);
    measured.other.push(values.other);
  }
  return [median(measured.one), median(measured.other)];
}
