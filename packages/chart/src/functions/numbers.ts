import { atoi } from '../value/atoi.ts';
import { toFloat64, toInt64 } from '../value/convert.ts';
import { type GoInt, int, int64, TypedList, type Value } from '../value/kinds.ts';
import { printValue } from '../value/print.ts';
import { addDecimals, divideDecimals, multiplyDecimals, subtractDecimals } from './decimals.ts';
import { type CallContext, contextual, type FunctionGroup, fail, fn } from './define.ts';

/** Arithmetic of sprig: on int64 with Go's wrapping, or with the suffix f on decimals. */

const divide = (a: bigint, b: bigint): bigint => (b === 0n ? fail('runtime error: integer divide by zero') : a / b);
const remainder = (a: bigint, b: bigint): bigint => (b === 0n ? fail('runtime error: integer divide by zero') : a % b);

function sequence(context: CallContext, start: bigint, stop: bigint, step: bigint): Value[] {
  if (stop < start ? step >= 0n : step <= 0n) return [];
  const count = (stop - start) / step + 1n;
  context.budget.size(Number(count) * 16);
  context.budget.step(Number(count));
  const out: Value[] = [];
  if (stop < start) for (let i = start; i > stop; i += step) out.push(int(i));
  else for (let i = start; i < stop; i += step) out.push(int(i));
  return out;
}

const ints = (items: Value[]): TypedList => new TypedList('[]int', items);

function seq(context: CallContext, params: readonly GoInt[]): string {
  const [first, second, third] = params.map((param) => param.value);
  const shown = (start: bigint, stop: bigint, step: bigint): string => sequence(context, start, stop, step).map(String).join(' ');
  if (params.length === 1 && first !== undefined) {
    const step = first < 1n ? -1n : 1n;
    return shown(1n, first + step, step);
  }
  if (params.length === 2 && first !== undefined && second !== undefined) {
    const step = second < first ? -1n : 1n;
    return shown(first, second + step, step);
  }
  if (params.length === 3 && first !== undefined && second !== undefined && third !== undefined) {
    if (third < first && second > 0n) return '';
    return shown(first, third + (third < first ? -1n : 1n), second);
  }
  return '';
}

function round(value: Value, places: GoInt, roundOn: number): number {
  const power = 10 ** Number(places.value);
  const digit = power * toFloat64(value);
  const fraction = digit - Math.trunc(digit);
  return (fraction >= roundOn ? Math.ceil(digit) : Math.floor(digit)) / power;
}

const extreme = (values: readonly Value[], better: (a: bigint, b: bigint) => boolean): GoInt =>
  int64(values.map(toInt64).reduce((best, value) => (better(value, best) ? value : best)));

const biggest = fn(['any', '...any'], (...values) => extreme(values, (a, b) => a > b));

export const numberFunctions: FunctionGroup = {
  add: fn(['...any'], (...values) => int64(values.reduce<bigint>((sum, value) => sum + toInt64(value), 0n))),
  add1: fn(['any'], (value) => int64(toInt64(value) + 1n)),
  add1f: fn(['any'], (value) => addDecimals(toFloat64(value), [1])),
  addf: fn(['...any'], (...values) => addDecimals(0, values.map(toFloat64))),
  atoi: fn(['string'], (text) => int(nearestInt(text))),
  biggest,
  ceil: fn(['any'], (value) => Math.ceil(toFloat64(value))),
  div: fn(['any', 'any'], (a, b) => int64(divide(toInt64(a), toInt64(b)))),
  divf: fn(['any', '...any'], (first, ...rest) => divideDecimals(toFloat64(first), rest.map(toFloat64))),
  float64: fn(['any'], toFloat64),
  floor: fn(['any'], (value) => Math.floor(toFloat64(value))),
  int: fn(['any'], (value) => int(toInt64(value))),
  int64: fn(['any'], (value) => int64(toInt64(value))),
  max: biggest,
  maxf: fn(['any', '...any'], (...values) => values.map(toFloat64).reduce((a, b) => Math.max(a, b))),
  min: fn(['any', '...any'], (...values) => extreme(values, (a, b) => a < b)),
  minf: fn(['any', '...any'], (...values) => values.map(toFloat64).reduce((a, b) => Math.min(a, b))),
  mod: fn(['any', 'any'], (a, b) => int64(remainder(toInt64(a), toInt64(b)))),
  mul: fn(['any', '...any'], (...values) =>
    int64(values.reduce<bigint>((product, value) => BigInt.asIntN(64, product * toInt64(value)), 1n)),
  ),
  mulf: fn(['any', '...any'], (first, ...rest) => multiplyDecimals(toFloat64(first), rest.map(toFloat64))),
  round: fn(['any', 'int', '...float64'], (value, places, ...on) => round(value, places, on[0] ?? 0.5)),
  seq: contextual(['...int'], (context, ...params) => seq(context, params)),
  sub: fn(['any', 'any'], (a, b) => int64(toInt64(a) - toInt64(b))),
  subf: fn(['any', '...any'], (first, ...rest) => subtractDecimals(toFloat64(first), rest.map(toFloat64))),
  /** Reads an octal number. */
  toDecimal: fn(['any'], (value) => {
    const text = printValue(value);
    if (!/^[+-]?[0-7]+$/.test(text)) return int64(0);
    const size = BigInt(`0o${text.replace(/^[+-]/, '')}`);
    const number = text[0] === '-' ? -size : size;
    return int64(BigInt.asIntN(64, number) === number ? number : 0n);
  }),
  until: contextual(['int'], (context, count) => ints(sequence(context, 0n, count.value, count.value < 0n ? -1n : 1n))),
  untilStep: contextual(['int', 'int', 'int'], (context, start, stop, step) =>
    ints(sequence(context, start.value, stop.value, step.value)),
  ),
};

/** strconv.Atoi without its error: 0 for what is no number, the nearest int for what is out of range. */
function nearestInt(text: string): bigint {
  const value = atoi(text);
  if (typeof value === 'bigint') return value;
  if (value === 'invalid syntax') return 0n;
  return text.startsWith('-') ? -(2n ** 63n) : 2n ** 63n - 1n;
}
