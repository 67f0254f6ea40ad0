import { GoObject, TypedList, TypedMap, type Value } from './kinds.ts';

/** A deep copy of maps and lists, and of what says how it is copied; all else is immutable and shared. */
export function deepCopy<T extends Value>(value: T): T {
  return copy(value) as T;
}

function copy(value: Value): Value {
  if (value instanceof Map) {
    const out =
      value instanceof TypedMap ? new TypedMap(value.type, value.zero, undefined, value.methods, value.isNil) : new Map<string, Value>();
    for (const [key, item] of value) out.set(key, copy(item));
    return out;
  }
  if (Array.isArray(value)) return value.map(copy);
  if (value instanceof TypedList) return new TypedList(value.type, value.items.map(copy), value.isNil);
  return value instanceof GoObject ? value.copied() : value;
}
