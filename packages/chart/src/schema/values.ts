import { type ExactJson, JsonNumber } from '../value/json.ts';
import { GoInt, GoObject, TypedList, type Value } from '../value/kinds.ts';
import { compareNumbers, costOf, isInteger, isNumber } from './numbers.ts';

/** What is checked: values of a chart, or a schema. */
export type Instance = Value | ExactJson;

export type JsonType = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object';

/** The order in which the library lists types. */
export const typeOrder = ['null', 'boolean', 'number', 'integer', 'string', 'array', 'object'];

/** Undefined for what is no JSON. */
export function typeOf(value: Instance): JsonType | undefined {
  switch (typeof value) {
    case 'undefined':
      return 'null';
    case 'boolean':
    case 'string':
      return typeof value as 'boolean' | 'string';
    case 'number':
      return Number.isFinite(value) ? 'number' : undefined;
    default:
  }
  if (value === null) return 'null';
  if (value instanceof Map) return 'object';
  if (Array.isArray(value)) return 'array';
  return value instanceof GoInt || value instanceof JsonNumber ? 'number' : undefined;
}

export const isType = (value: Instance, type: JsonType | undefined, wanted: readonly string[]): boolean =>
  (type !== undefined && wanted.includes(type)) || (isNumber(value) && wanted.includes('integer') && isInteger(value));

/** Steps that it takes to compare a long text with another. */
const costOfText = (text: string): number => text.length >> 12;

/** Equality of JSON: numbers by value, whatever their kind. @param spend pays for lists, maps, and long numbers and texts */
export function jsonEqual(a: Instance, b: Instance, spend: (steps: number) => void = () => {}): boolean {
  if (isNumber(a)) {
    if (!isNumber(b)) return false;
    spend((costOf(a) + costOf(b)) >> 4);
    return compareNumbers(a, b) === 0;
  }
  if (typeof a === 'string') {
    if (typeof b !== 'string' || a.length !== b.length) return false;
    if (a.length >= 4096) spend(costOfText(a));
    return a === b;
  }
  if (typeof a !== 'object' || a === null) return (a ?? null) === (b ?? null);
  if (a instanceof Map) {
    if (!(b instanceof Map) || a.size !== b.size) return false;
    spend(1 + 2 * a.size);
    return [...a].every(([key, item]) => b.has(key) && jsonEqual(item, b.get(key), spend));
  }
  if (a instanceof GoObject || a instanceof TypedList || !Array.isArray(a)) return false;
  if (!Array.isArray(b) || a.length !== b.length) return false;
  spend(1 + 2 * a.length);
  return a.every((item, index) => jsonEqual(item, b[index], spend));
}

/** How many maps, lists and plain values a value is made of, counted up to a bound; long numbers and texts count more. */
export function countParts(value: Instance, most: number): number {
  let count = 1 + (isNumber(value) ? costOf(value) >> 4 : typeof value === 'string' ? costOfText(value) : 0);
  const items: Iterable<Instance> = value instanceof Map ? value.values() : Array.isArray(value) ? value : [];
  for (const item of items) {
    if (count >= most) return most;
    count += countParts(item, most - count);
  }
  return Math.min(count, most);
}

/**
 * Keys and indices down to a value. The library keeps all of a path in one growing array, which siblings share: a
 * place that is not copied at once (that of a property's name) may show the name of a later sibling. So does ours.
 */
export class Location {
  readonly #tokens: string[];
  readonly #capacity: number;
  readonly #length: number;

  private constructor(tokens: string[], length: number, capacity: number) {
    this.#tokens = tokens;
    this.#length = length;
    this.#capacity = capacity;
  }

  static root(capacity = 8): Location {
    return new Location([], 0, capacity);
  }

  below(token: string): Location {
    const isFull = this.#length >= this.#capacity;
    const tokens = isFull ? this.#tokens.slice(0, this.#length) : this.#tokens;
    tokens[this.#length] = token;
    return new Location(tokens, this.#length + 1, isFull ? 2 * this.#capacity : this.#capacity);
  }

  /** The tokens as they are when this is called. */
  get path(): readonly string[] {
    return this.#tokens.slice(0, this.#length);
  }
}
