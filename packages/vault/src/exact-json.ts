/**
 * JSON with its numbers as they were written. A secret may hold an integer beyond 2^53 or 1.0; a client that reads it
 * back must get the same text, so such numbers stay raw instead of going through a double.
 */

export type Json = null | boolean | string | number | RawNumber | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}
interface RawNumber {
  readonly rawJSON: string;
}

// Not yet in TypeScript's library (ECMAScript "JSON.parse source text access", in Node since 22).
const json = JSON as unknown as {
  rawJSON(text: string): RawNumber;
  parse(text: string, reviver: (key: string, value: Json, context: { source?: string }) => Json): Json;
};

/** @throws SyntaxError */
export function parseJson(text: string): Json {
  return json.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? json.rawJSON(source) : value,
  );
}

export function isObject(value: Json | undefined): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !('rawJSON' in value && Object.isFrozen(value));
}

/** RFC 7396: null removes, objects merge, everything else replaces. Returns a new value. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const merged: JsonObject = Object.assign(Object.create(null), isObject(target) ? target : {});
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}
