/**
 * Quantities such as `500m`, `1.5Gi`, `1e3` (k8s.io/apimachinery/pkg/api/resource). Values are exact: a count of nano-units.
 */
const pattern = /^([+-]?)(\d{1,30}\.?\d{0,30}|\.\d{1,30})(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d{1,2})?$/;

const binary: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n };
const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

export const isQuantity = (text: string): boolean => pattern.test(text);

/** The quantity in nano-units, rounded up as Kubernetes does; undefined when the text is none. */
export function quantityNanos(text: string): bigint | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [, sign, digits = '0', suffix = ''] = match;
  const [whole = '', fraction = ''] = digits.split('.');
  const mantissa = BigInt(whole + fraction || '0');
  const shift = binary[suffix];
  const exponent = shift === undefined ? (/^[eE]/.test(suffix) ? Number(suffix.slice(1)) : (decimal[suffix] ?? 0)) : 0;
  const power = 9 + exponent - fraction.length;
  const scaled = mantissa << (shift ?? 0n);
  const nanos = power >= 0 ? scaled * 10n ** BigInt(power) : divideUp(scaled, 10n ** BigInt(-power));
  return sign === '-' ? -nanos : nanos;
}

const divideUp = (value: bigint, by: bigint): bigint => (value + by - 1n) / by;

/** -1, 0 or 1; undefined when either is no quantity. */
export function compareQuantities(a: string, b: string): -1 | 0 | 1 | undefined {
  const [left, right] = [quantityNanos(a), quantityNanos(b)];
  if (left === undefined || right === undefined) return undefined;
  return left < right ? -1 : left > right ? 1 : 0;
}
