import { isObject, type Json, type JsonObject, own, ownObject, put } from '../json.ts';

/**
 * Defaulting works on a copy that it alone holds: these change the draft that they are given.
 */

/** Sets a key that is absent or null. */
export function fill(draft: JsonObject, key: string, value: Json): void {
  if ((own(draft, key) ?? null) === null) put(draft, key, value);
}

/** Sets several keys that are absent. */
export function fillAll(draft: JsonObject, values: JsonObject): void {
  for (const [key, value] of Object.entries(values)) fill(draft, key, value);
}

/** The object at that key, made when it is absent; a throw-away one when something else stands there. */
export function section(draft: JsonObject, key: string): JsonObject {
  fill(draft, key, {});
  return ownObject(draft, key) ?? {};
}

/** Runs a function on the object at that key, when there is one. */
export function within(draft: JsonObject | undefined, key: string, change: (value: JsonObject) => void): void {
  const value = ownObject(draft, key);
  if (value) change(value);
}

/** Runs a function on every object of the list at that key. */
export function each(draft: JsonObject | undefined, key: string, change: (item: JsonObject) => void): void {
  const list = draft && own(draft, key);
  if (Array.isArray(list)) for (const item of list) if (isObject(item)) change(item);
}

/** The same defaults for each object of a list. */
export const eachFill = (draft: JsonObject | undefined, key: string, values: JsonObject): void =>
  each(draft, key, (item) => fillAll(item, values));
