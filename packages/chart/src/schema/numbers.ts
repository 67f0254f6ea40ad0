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

/** digits × 10^exponent, with no zero at either end of the digits; zero has none. */
interface Decimal {
  readonly sign: '' | '-';
  readonly digits: string;
  readonly exponent: number;
}

/** Go's big.Rat takes no larger exponent. */
const maxExponent = 1_000_000;

function decimalOf(value: AnyNumber): Decimal | undefined {
  const found = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(literalOf(value));
  if (!found) return undefined;
  const [, sign = '', whole = '', fraction = '', power = '0'] = found;
  const written = whole + fraction;
  // By a loop: a regular expression for the end of a long text takes quadratic time.
  let end = written.length;
  while (written[end - 1] === '0') end--;
  const digits = written.slice(0, end).replace(/^0+/, '');
  if (digits === '') return { sign: '', digits, exponent: 0 };
  if (Math.abs(Number(power)) > maxExponent) return undefined;
  return { sign: sign as Decimal['sign'], digits, exponent: Number(power) - fraction.length + written.length - end };
}

/** Steps that work with a number takes by its length: a schema may write a million digits. */
export const costOf = (value: AnyNumber): number => (value instanceof JsonNumber && value.literal.length > 64 ? value.literal.length : 0);

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
  // Both round to one float64, so they have one sign, unless one of them is zero.
  const isNegative = p.sign === '-' || q.sign === '-';
  const order = compareSizes(p, q);
  return isNegative ? -order : order;
}

/** The same without signs. */
function compareSizes(p: Decimal, q: Decimal): number {
  if (p.digits === '' || q.digits === '') return p.digits === q.digits ? 0 : p.digits === '' ? -1 : 1;
  const places = p.exponent + p.digits.length - (q.exponent + q.digits.length);
  if (places !== 0) return places;
  // Both begin at the same power of ten, so their digits compare as texts do.
  return p.digits === q.digits ? 0 : p.digits < q.digits ? -1 : 1;
}

const scale = (digits: bigint, power: number): bigint => digits * 10n ** BigInt(power);

export function isMultiple(value: AnyNumber, of: AnyNumber): boolean {
  const [p, q] = [decimalOf(value), decimalOf(of)];
  if (!p || !q || p.digits === '') return true;
  const shift = p.exponent - q.exponent;
  const [size, unit] = [BigInt(p.digits), BigInt(q.digits)];
  if (shift >= 0) return (size * powerModulo(shift, unit)) % unit === 0n;
  // No digit of the value is a zero at the end, so a long shift leaves a rest.
  return -shift <= p.digits.length && size % scale(unit, -shift) === 0n;
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
