import { parseFloat64, parseInteger } from '../language/numbers.ts';
import { GoInt, GoObject, integerOf, listItems, TypedList, type Value } from './kinds.ts';
import { printValue } from './print.ts';
import { fromBytes } from './text.ts';

/** sprig's strval: what `quote`, `join`, `toString` make of a value. */
export function toText(value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof TypedList && value.type === '[]uint8') return fromBytes(bytesOf(value));
  return printValue(value);
}

/** The bytes of a []byte. */
export function bytesOf(list: TypedList): Uint8Array {
  return Uint8Array.from(list.items, (item) => Number((item as GoInt).value));
}

/** sprig's strslice: the texts of a list's items without nils; a single value counts as a list of one. */
export function toTexts(value: Value): string[] {
  const items = listItems(value);
  if (items) return items.filter((item) => item !== null && item !== undefined).map(toText);
  return value === null || value === undefined ? [] : [toText(value)];
}

/** spf13/cast's ToInt64: what is no number is 0, never an error. */
export function toInt64(value: Value): bigint {
  switch (typeof value) {
    case 'number':
      return floatToInt(value);
    case 'string':
      return textToInt(value);
    case 'boolean':
      return value ? 1n : 0n;
    default:
      return BigInt.asIntN(64, castInteger(value) ?? 0n);
  }
}

/** Go's conversion on amd64: what does not fit becomes the smallest int64. */
function floatToInt(value: number): bigint {
  if (!Number.isFinite(value) || value >= 2 ** 63 || value < -(2 ** 63)) return -(2n ** 63n);
  return BigInt(Math.trunc(value));
}

function textToInt(text: string): bigint {
  const number = parseInteger(text.replace(/\.0*$/, (zeros, at: number) => (at > 0 ? '' : zeros)));
  if (number === undefined) return 0n;
  return BigInt.asIntN(64, number) === number ? number : 0n;
}

/** spf13/cast's ToFloat64. */
export function toFloat64(value: Value): number {
  switch (typeof value) {
    case 'number':
      return value;
    case 'string':
      return specialFloats.get(value.toLowerCase()) ?? parseFloat64(value) ?? 0;
    case 'boolean':
      return value ? 1 : 0;
    default:
      return Number(castInteger(value) ?? 0n);
  }
}

/** spf13/cast knows time.Month and time.Weekday, but no duration. */
const castInteger = (value: Value): bigint | undefined =>
  value instanceof GoObject && value.kind !== 'int' ? undefined : integerOf(value);

const specialFloats = new Map([
  ['nan', Number.NaN],
  ['inf', Infinity],
  ['+inf', Infinity],
  ['-inf', -Infinity],
  ['infinity', Infinity],
  ['+infinity', Infinity],
  ['-infinity', -Infinity],
]);

/** sprig's empty: zero values, nil and empty collections. */
export function isEmpty(value: Value): boolean {
  switch (typeof value) {
    case 'string':
      return value === '';
    case 'boolean':
      return !value;
    case 'number':
      return value === 0;
    case 'object':
      if (value === null) return true;
      if (value instanceof Map) return value.size === 0;
      if (Array.isArray(value)) return value.length === 0;
      if (value instanceof GoInt) return value.value === 0n;
      if (value instanceof TypedList) return value.items.length === 0;
      return !value.truth();
    default:
      return true;
  }
}

/**
 * reflect.DeepEqual. Values that hold themselves are equal where walking both meets no difference, as in Go.
 * @param charge takes the steps of the walk, which ends at the first difference
 */
export function deepEqual(a: Value, b: Value, charge: (steps: number) => void = () => {}): boolean {
  return new Comparison(charge).equal(a, b, 0);
}

/** From here on down, pairs are remembered: few values are so deep, and no cycle is shallower. */
const remembersFrom = 16;

/** Steps for two texts, numbers or the like. */
const quick = 0.25;

class Comparison {
  readonly #charge: (steps: number) => void;
  readonly #seen = new Map<object, Set<object>>();

  constructor(charge: (steps: number) => void) {
    this.#charge = charge;
  }

  equal(a: Value, b: Value, depth: number): boolean {
    this.#charge(a instanceof Map || Array.isArray(a) ? 1 : quick);
    if (a === null || a === undefined) return b === null || b === undefined;
    if (b === null || b === undefined || typeof a !== 'object' || typeof b !== 'object') {
      if (typeof a === 'string' && a.length > 1024) this.#charge(a.length >> 10);
      return a === b;
    }
    if (a === b || (depth > remembersFrom && this.#isKnown(a, b))) return true;
    if (a instanceof GoInt) return b instanceof GoInt && a.kind === b.kind && a.value === b.value;
    if (a instanceof GoObject) return b instanceof GoObject && a.type === b.type && this.#equalObjects(a, b, depth);
    if (a instanceof Map) return b instanceof Map && typeOf(a) === typeOf(b) && this.#equalMaps(a, b, depth);
    const [x, y] = [a, b].map((list) => (Array.isArray(list) ? list : list instanceof TypedList ? list.items : undefined));
    if (!x || !y || typeOf(a) !== typeOf(b) || x.length !== y.length) return false;
    return x.every((item, index) => this.equal(item, y[index], depth + 1));
  }

  /** Values of one type, so their fields have the same names. */
  #equalObjects(a: GoObject, b: GoObject, depth: number): boolean {
    this.#charge(a.weight());
    const others = b.fields();
    return (
      this.equal(a.hidden(), b.hidden(), depth + 1) &&
      a.fields().every(([, field], index) => this.equal(field, others[index]?.[1], depth + 1))
    );
  }

  #equalMaps(a: Map<string, Value>, b: Map<string, Value>, depth: number): boolean {
    if (a.size !== b.size) return false;
    for (const [key, value] of a) if (!b.has(key) || !this.equal(value, b.get(key), depth + 1)) return false;
    return true;
  }

  /** Whether this pair is being compared already, or was found equal; remembers it. */
  #isKnown(a: object, b: object): boolean {
    const partners = this.#seen.get(a) ?? new Set();
    const known = partners.has(b);
    partners.add(b);
    this.#seen.set(a, partners);
    return known;
  }
}

const typeOf = (value: object): string => ('type' in value ? String(value.type) + ('isNil' in value ? String(value.isNil) : '') : '');
