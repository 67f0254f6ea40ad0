import { kindInJson } from '../value/json.ts';
import { GoInt, type Value, type ValueMap } from '../value/kinds.ts';
import { ConversionError } from './values.ts';

/** Fields of a document that Helm decodes into a Go struct, with encoding/json's rules and words. */

/** A member by its name, or by one that differs in case only. */
export function member(map: ValueMap, name: string): Value {
  if (map.has(name)) return map.get(name) ?? null;
  const lower = name.toLowerCase();
  for (const [key, value] of map) if (key.toLowerCase() === lower) return value ?? null;
  return null;
}

/** @throws ConversionError when the value is a list or a map */
export function textOf(value: Value, field: string): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  if (value instanceof GoInt || typeof value === 'boolean' || typeof value === 'number') return String(value);
  throw typeError(value, `Go struct field ${field} of type string`);
}

/** @param target what the value was to become, in Go's words */
export function typeError(value: Value, target: string): ConversionError {
  return new ConversionError(`error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kindInJson(value)} into ${target}`);
}
