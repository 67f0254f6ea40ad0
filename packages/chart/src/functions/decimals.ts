import { formatF } from '../value/float.ts';
import { fail } from './define.ts';

/** Exact decimal arithmetic as shopspring/decimal's: sums and products exact, quotients to 16 decimals. */

interface Decimal {
  readonly digits: bigint;
  /** Power of ten by which `digits` is divided; never negative. */
  readonly scale: number;
}

const divisionPrecision = 16;

function decimal(value: number): Decimal {
  if (!Number.isFinite(value)) return fail(`Cannot create a Decimal from ${formatF(value)}`);
  const text = formatF(value);
  const point = text.indexOf('.');
  if (point < 0) return { digits: BigInt(text), scale: 0 };
  return { digits: BigInt(text.replace('.', '')), scale: text.length - point - 1 };
}

function align(a: Decimal, b: Decimal): [bigint, bigint, number] {
  const scale = Math.max(a.scale, b.scale);
  return [a.digits * 10n ** BigInt(scale - a.scale), b.digits * 10n ** BigInt(scale - b.scale), scale];
}

function add(a: Decimal, b: Decimal): Decimal {
  const [x, y, scale] = align(a, b);
  return { digits: x + y, scale };
}

function subtract(a: Decimal, b: Decimal): Decimal {
  const [x, y, scale] = align(a, b);
  return { digits: x - y, scale };
}

const multiply = (a: Decimal, b: Decimal): Decimal => ({ digits: a.digits * b.digits, scale: a.scale + b.scale });

function divide(a: Decimal, b: Decimal): Decimal {
  if (b.digits === 0n) return fail('decimal division by 0');
  const [x, y] = align(a, b);
  const top = x * 10n ** BigInt(divisionPrecision);
  const quotient = top / y;
  const rest = top % y;
  const up = 2n * abs(rest) >= abs(y);
  return { digits: up ? quotient + (top < 0n === y < 0n ? 1n : -1n) : quotient, scale: divisionPrecision };
}

const abs = (value: bigint): bigint => (value < 0n ? -value : value);

function toNumber({ digits, scale }: Decimal): number {
  const text = abs(digits)
    .toString()
    .padStart(scale + 1, '0');
  const number = Number(`${text.slice(0, text.length - scale)}.${text.slice(text.length - scale)}0`);
  return digits < 0n ? -number : number;
}

const fold =
  (operation: (a: Decimal, b: Decimal) => Decimal) =>
  (first: number, rest: readonly number[]): number =>
    toNumber(rest.map(decimal).reduce(operation, decimal(first)));

export const addDecimals = fold(add);
export const subtractDecimals = fold(subtract);
export const multiplyDecimals = fold(multiply);
export const divideDecimals = fold(divide);
