/** One figure of the table. */
export interface Figure {
  readonly name: string;
  /** A time in seconds, or a ratio of two times. */
  readonly value: number;
  readonly unit: "s" | "ratio";
  /** What the value must not exceed. */
  readonly limit?: number;
}

export const seconds = (name: string, value: number, limit?: number): Figure => ({
  name,
  value,
  unit: "s",
  ...(limit === undefined ? {} : { limit }),
});

export const ratio = (name: string, value: number, limit: number): Figure => ({
  name,
  value,
  unit: "ratio",
  limit,
});

/** The figures in columns: name, value, limit and whether it is kept. */
export function render(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, value, unit, limit }) => [
    name,
    format(value, unit),
    limit === undefined ? "" : `≤ ${format(limit, unit)}`,
    limit === undefined ? "" : value <= limit ? "kept" : "EXCEEDED",
  ]);
  const all = [["figure", "measured", "limit", ""], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map(([name = "", measured = "", limit = "", verdict = ""]) =>
      [
        name.padEnd(widths[0] ?? 0),
        measured.padStart(widths[1] ?? 0),
        limit.padStart(widths[2] ?? 0),
        verdict,
      ]
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

const format = (value: number, unit: Figure["unit"]): string =>
  unit === "s" ? `${value.toFixed(value < 100 ? 1 : 0)} s` : value.toFixed(2);

/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (low === undefined || high === undefined) throw new Error("there is no median of nothing");
  return (low + high) / 2;
}
