/** What a value must keep to. */
export interface Bound {
  readonly sign: "≤" | "≥";
  readonly value: number;
}

/** The value must not exceed this. */
export const atMost = (value: number): Bound => ({ sign: "≤", value });

/** The value must not fall below this. */
export const atLeast = (value: number): Bound => ({ sign: "≥", value });

/** How a value reads: a time, a ratio, a share, an amount of memory, a rate, or a number of things. */
const FORMATS = {
  s: (value: number) => `${value.toFixed(value < 100 ? 1 : 0)} s`,
  ms: (value: number) => `${value.toFixed(0)} ms`,
  ratio: (value: number) => value.toFixed(2),
  percent: (value: number) => `${value.toFixed(0)} %`,
  MiB: (value: number) => `${value.toFixed(0)} MiB`,
  cores: (value: number) => `${value.toFixed(3)} cores`,
  perSecond: (value: number) => `${value.toFixed(1)}/s`,
  count: (value: number) => value.toFixed(0),
} as const;

/** One figure of the table. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: keyof typeof FORMATS;
  readonly bound?: Bound;
}

export const figure = (name: string, value: number, unit: Figure["unit"], bound?: Bound): Figure => ({
  name,
  value,
  unit,
  ...(bound === undefined ? {} : { bound }),
});

/** @param limit in seconds, what the time must not exceed; default: none */
export const seconds = (name: string, value: number, limit?: number): Figure =>
  figure(name, value, "s", limit === undefined ? undefined : atMost(limit));

/** @param bound a number is what the ratio must not exceed */
export const ratio = (name: string, value: number, bound: number | Bound): Figure =>
  figure(name, value, "ratio", typeof bound === "number" ? atMost(bound) : bound);

/** Whether a value keeps to its bound; nothing to keep to is kept. */
export function isKept({ value, bound }: Pick<Figure, "value" | "bound">): boolean {
  if (bound === undefined) return true;
  return bound.sign === "≤" ? value <= bound.value : value >= bound.value;
}

/** The figures in columns: name, value, limit and whether it is kept. */
export function render(figures: readonly Figure[]): string {
  const rows = figures.map((row) => {
    const { name, value, unit, bound } = row;
    return [
      name,
      FORMATS[unit](value),
      bound === undefined ? "" : `${bound.sign} ${FORMATS[unit](bound.value)}`,
      bound === undefined ? "" : isKept(row) ? "kept" : bound.sign === "≤" ? "EXCEEDED" : "MISSED",
    ];
  });
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

/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (low === undefined || high === undefined) throw new Error("there is no median of nothing");
  return (low + high) / 2;
}
