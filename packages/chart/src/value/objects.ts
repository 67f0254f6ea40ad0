import { GoInt, type Value, type ValueMap } from './kinds.ts';

/** Plain JSON data as chart values: objects become maps, numbers stay float64 as Helm reads them from files. */
export function fromObject(object: Readonly<Record<string, unknown>>): ValueMap {
  return new Map(Object.entries(object).map(([key, value]) => [key, fromPlain(value)]));
}

function fromPlain(value: unknown): Value {
  if (Array.isArray(value)) return value.map(fromPlain);
  if (typeof value === 'object' && value !== null) return fromObject(value as Record<string, unknown>);
  if (typeof value === 'bigint') return new GoInt('int64', value);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return null;
}

/** Chart values as plain JSON data, in objects without prototype (a key may be `__proto__`). */
export function toObject(map: ValueMap): Record<string, unknown> {
  const out: Record<string, unknown> = Object.create(null);
  for (const [key, value] of map) out[key] = toPlain(value);
  return out;
}

function toPlain(value: Value): unknown {
  if (value instanceof Map) return toObject(value);
  if (Array.isArray(value)) return value.map(toPlain);
  if (value instanceof GoInt) return Number(value.value);
  return value ?? null;
}
