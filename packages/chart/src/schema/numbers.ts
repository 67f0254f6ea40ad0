import { formatG } from '../value/float.ts';
import { JsonNumber } from '../value/json.ts';
import { GoInt } from '../value/kinds.ts';

/** Numbers of schemas and values, compared exactly as they are written, however long. */
export type AnyNumber = number | GoInt | JsonNumber;

export const isNumber = (value: unknown): value is AnyNumber =>
  typeof value === 'number' || value instanceof GoInt || value instanceof JsonNumber;

/** A number as Go prints it, or as the schema writes it. */
export function literalOf(value: AnyNumber): string {
  if (typeof value === 'number') return formatG(value);
  return value instanceof GoInt ? value.toString() : value.literal;
}

export const toFloat = (value: AnyNumber): number => (typeof value === 'number' ? value : Number(literalOf(value)));

/** digits × 10^exponent, with no zero at the end of the digits. */
interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

/** Go's big.Rat takes no larger exponent. */
const maxExponent = 1_000_000;

function decimalOf(value: AnyNumber): Decimal | undefined {
  const found = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(literalOf(value));
  if (!found) return undefined;
  const [, sign = '', whole = '', fraction = '', power = '0'] = found;
  const digits = `${whole}${fraction}`;
  const kept = digits.replace(/0+$/, '');
  if (/^0*$/.test(kept)) return { digits: 0n, exponent: 0 };
  if (Math.abs(Number(power)) > maxExponent) return undefined;
  return { digits: BigInt(sign + kept), exponent: Number(power) - fraction.length + digits.length - kept.length };
}

/** Whether Go can work with the number at all. */
export const isUsable = (value: AnyNumber): boolean => typeof value === 'number' || decimalOf(value) !== undefined;

export function isInteger(value: AnyNumber): boolean {
  if (value instanceof GoInt) return true;
  if (typeof value === 'number') return Number.isInteger(value);
  const decimal = decimalOf(value);
  return decimal !== undefined && decimal.exponent >= 0;
}

/** Less than, equal to or greater than zero, as `a` is to `b`. */
export function compareNumbers(a: AnyNumber, b: AnyNumber): number {
  const [x, y] = [toFloat(a), toFloat(b)];
  if (x !== y) return x < y ? -1 : 1;
  if (typeof a === 'number' && typeof b === 'number') return 0;
  const [p, q] = [decimalOf(a), decimalOf(b)];
  if (!p || !q) return p === q ? 0 : 1;
  // Both round to one float64, so their exponents are as near as their digits are many.
  const shift = p.exponent - q.exponent;
  const [left, right] = shift >= 0 ? [scale(p.digits, shift), q.digits] : [p.digits, scale(q.digits, -shift)];
  return left < right ? -1 : left > right ? 1 : 0;
}

const scale = (digits: bigint, power: number): bigint => digits * 10n ** BigInt(power);

export function isMultiple(value: AnyNumber, of: AnyNumber): boolean {
  const [p, q] = [decimalOf(value), decimalOf(of)];
  if (!p || !q || p.digits === 0n) return true;
  const shift = p.exponent - q.exponent;
  if (shift >= 0) return (p.digits * powerModulo(shift, q.digits)) % q.digits === 0n;
  // No digit of the value is a zero at the end, so a long shift leaves a rest.
  return -shift <= p.digits.toString().length && p.digits % scale(q.digits, -shift) === 0n;
}

/** 10^power modulo `of`, without making the power itself. */
function powerModulo(power: number, of: bigint): bigint {
  let [result, base] = [1n, 10n % of];
  for (let left = power; left > 0; left >>= 1) {
    if (left & 1) result = (result * base) % of;
    base = (base * base) % of;
  }
  return result;
}

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';

const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, ',');

/** An integer in English: thousands apart. */
export const englishInteger = (value: number): string => grouped(String(value));

/** A float64 in English: thousands apart, and powers of ten where `%g` has an exponent. */
export function englishNumber(value: AnyNumber): string {
  const float = toFloat(value);
  if (!Number.isFinite(float)) return float > 0 ? '∞' : '-∞';
  const [mantissa = '', exponent] = formatG(float).split('e');
  const shown = mantissa.replace(/^(-?)(\d+)/, (_whole, sign: string, digits: string) => sign + grouped(digits));
  if (exponent === undefined) return shown;
  return `${shown}×10${exponent
    .replace('+', '')
    .replace('-', '⁻')
    .replace(/\d/g, (digit) => superscripts[Number(digit)] as string)}`;
}
