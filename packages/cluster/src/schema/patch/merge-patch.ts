import { copy, isObject, type Json, type JsonObject, own, put } from '../json.ts';

/**
 * RFC 7386 JSON Merge Patch: nulls remove, objects merge, everything else replaces. Neither argument is changed.
 */
export function applyMergePatch(document: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return copy(patch);
  const result: JsonObject = {};
  const base = isObject(document) ? document : {};
  for (const [key, value] of Object.entries(base))
    if (own(patch, key) === undefined) put(result, key, copy(value));
    else if (patch[key] !== null) put(result, key, applyMergePatch(value, patch[key] as Json));
  for (const [key, value] of Object.entries(patch))
    if (own(base, key) === undefined && value !== null) put(result, key, applyMergePatch(undefined, value));
  return result;
}
