/** Kubernetes quantities, in the one spelling that the API server keeps. */

const BINARY_UNITS = ["Ki", "Mi", "Gi", "Ti"] as const;
const MEMORY = /^([1-9]\d*)(Ki|Mi|Gi|Ti)$/;
const CPU = /^([1-9]\d*)(m?)$/;

/**
 * Bytes of a memory or storage quantity.
 * @param text integer with a binary unit, as `256Mi`
 * @returns bytes, or undefined if the text is no such quantity
 */
export function bytesOf(text: string): number | undefined {
  const [, count, unit] = MEMORY.exec(text) ?? [];
  const power = BINARY_UNITS.findIndex((known) => known === unit);
  return count === undefined || power < 0 ? undefined : Number(count) * 1024 ** (power + 1);
}

/**
 * Thousandths of a core of a CPU quantity.
 * @param text whole cores as `2`, or thousandths as `250m`
 * @returns thousandths, or undefined if the text is no such quantity
 */
export function millicoresOf(text: string): number | undefined {
  const [, count, unit] = CPU.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * (unit === "m" ? 1 : 1000);
}

/**
 * The spelling to which the API server turns a memory quantity. Any other spelling would show up as a
 * difference on every refresh.
 */
export function canonicalMemory(bytes: number): string {
  let power = 0;
  while (power < BINARY_UNITS.length - 1 && bytes % 1024 ** (power + 2) === 0) power += 1;
  return `${String(bytes / 1024 ** (power + 1))}${BINARY_UNITS[power] ?? "Ki"}`;
}

/** The spelling to which the API server turns a CPU quantity: whole cores where that is exact. */
export function canonicalCpu(millicores: number): string {
  return millicores % 1000 === 0 ? String(millicores / 1000) : `${String(millicores)}m`;
}
