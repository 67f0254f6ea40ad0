/**
 * Plain JSON, as it travels. Objects are what `JSON.parse` makes of text: `__proto__` in them is an own key like any other,
 * so reading and writing by a foreign key goes through `own` and `put`, never through a bare index.
 */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object's own value of that key; undefined when it has none. */
export function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The object at that key, when there is one. */
export function ownObject(object: JsonObject | undefined, key: string): JsonObject | undefined {
  const value = object && own(object, key);
  return isObject(value) ? value : undefined;
}

/** The list at that key; an empty one when there is none. */
export function ownList(object: JsonObject | undefined, key: string): Json[] {
  const value = object && own(object, key);
  return Array.isArray(value) ? value : [];
}

/** The objects of the list at that key, in order; what is no object is left out. */
export function ownObjects(object: JsonObject | undefined, key: string): JsonObject[] {
  return ownList(object, key).filter(isObject);
}

/** The text at that key; undefined when it is absent or of another type. */
export function ownString(object: JsonObject | undefined, key: string): string | undefined {
  const value = object && own(object, key);
  return typeof value === 'string' ? value : undefined;
}

/** Sets an own key; the one function of this file that changes what it was given. */
export function put(object: JsonObject, key: string, value: Json): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
}

/** A deep copy. */
export function copy<T extends Json>(value: T): T {
  if (Array.isArray(value)) return value.map(copy) as T;
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [key, item] of Object.entries(value)) put(result, key, copy(item));
  return result as T;
}

/** A shallow copy without the given keys. */
export function without(object: JsonObject, ...keys: readonly string[]): JsonObject {
  const result: JsonObject = {};
  for (const [key, item] of Object.entries(object)) if (!keys.includes(key)) put(result, key, item);
  return result;
}

/** Deep equality; the order of an object's keys does not count. */
export function equal(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, index) => equal(item, b[index]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]));
}

/** One text for equal values: objects' keys sorted, no white space. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  return `{${Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key] as Json)}`)
    .join(',')}}`;
}

/** The number at that key; undefined when it is absent or of another type. */
export function ownNumber(object: JsonObject | undefined, key: string): number | undefined {
  const value = object && own(object, key);
  return typeof value === 'number' ? value : undefined;
}
