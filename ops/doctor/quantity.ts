const DECIMAL: Readonly<Record<string, number>> = {
  n: -3,
  u: -2,
  m: -1,
  "": 0,
  k: 1,
  M: 2,
  G: 3,
  T: 4,
  P: 5,
  E: 6,
};
const BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/**
 * A quantity in any spelling that Kubernetes knows, as nodes and pods of others have them.
 *
 * @returns cores or bytes
 * @throws Error when it is none
 */
export function amountOf(quantity: string): number {
  const [, digits = "", exponent = "", unit = ""] =
    /^([+-]?\d*\.?\d+)\.?([eE][+-]?\d+)?([numkMGTPE]?|[KMGTPE]i)$/.exec(quantity) ?? [];
  const power = DECIMAL[unit];
  const factor = power === undefined ? 1024 ** (BINARY.indexOf(unit) + 1) : 1000 ** power;
  if (digits === "") throw new Error(`${quantity} is no Kubernetes quantity`);
  const amount = Number(`${digits}${exponent}`);
  return power !== undefined && power < 0 ? amount / 1000 ** -power : amount * factor;
}
