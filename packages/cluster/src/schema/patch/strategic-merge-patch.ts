/**
 * Kubernetes' strategic merge patch (sig-api-machinery's "strategic-merge-patch" document): a merge patch that knows from the schema
 * which lists merge, by which key, and takes directives beside the data:
 *
 * - `$patch: replace | delete | merge` in a map, or as an item of a merging list;
 * - `$retainKeys: [names]` beside a union: all other keys go;
 * - `$deleteFromPrimitiveList/FIELD: [values]`;
 * - `$setElementOrder/FIELD: [values or {key}]`: the order that the merged list gets.
 */
import { SchemaError } from '../errors.ts';
import { canonical, copy, equal, isObject, type Json, type JsonObject, own, ownList, put, without } from '../json.ts';
import type { Field, Schema } from '../types.ts';

const directive = '$patch';
const retainKeys = '$retainKeys';
const deletePrefix = '$deleteFromPrimitiveList/';
const orderPrefix = '$setElementOrder/';

const malformed = (message: string): SchemaError =>
  new SchemaError('MALFORMED', message, { cure: 'Correct the directives of the strategic merge patch.' });

function fieldOf(schema: Schema, key: string): Field | undefined {
  if (schema.kind === 'struct') return schema.fields.get(key);
  if (schema.kind === 'map') return { schema: schema.values };
  return undefined;
}

const anySchema: Schema = { kind: 'any' };

/**
 * The document after the patch. `schema` is the kind's; fields that it does not know merge as in RFC 7386. Throws MALFORMED for
 * directives that contradict each other or the data. Custom resources have no such patch: their server answers 415.
 */
export function applyStrategicMergePatch(document: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  return mergeMap(document, patch, schema);
}

function mergeMap(original: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  const how = own(patch, directive);
  if (how === 'replace') return withoutDirectives(without(patch, directive));
  if (how === 'delete') return {};
  if (how !== undefined && how !== 'merge') throw malformed(`Unknown patch type: ${JSON.stringify(how)}`);

  let result: JsonObject = { ...without(original) };
  const retained = own(patch, retainKeys);
  if (retained !== undefined) {
    if (!Array.isArray(retained)) throw malformed('$retainKeys must be a list of names.');
    for (const key of Object.keys(patch))
      if (!key.startsWith('$') && patch[key] !== null && !retained.includes(key))
        throw malformed(`$retainKeys does not name ${JSON.stringify(key)}, which the patch sets.`);
    result = keepOnly(result, retained);
  }
  applyListDirectives(result, patch, schema);

  for (const [key, value] of Object.entries(patch)) {
    if (key === directive || key === retainKeys || key.startsWith(deletePrefix) || key.startsWith(orderPrefix)) continue;
    const before = own(result, key);
    const field = fieldOf(schema, key);
    if (value === null) delete result[key];
    else if (isObject(value)) put(result, key, mergeValue(before, value, field));
    else if (Array.isArray(value)) put(result, key, mergeListField(before, value, field, own(patch, orderPrefix + key)));
    else put(result, key, value);
  }
  return result;
}

function mergeValue(before: Json | undefined, value: JsonObject, field: Field | undefined): Json {
  const schema = field?.schema ?? anySchema;
  if (isObject(before)) return mergeMap(before, value, schema);
  return own(value, directive) === 'delete' ? {} : withoutDirectives(value);
}

function keepOnly(object: JsonObject, keys: readonly Json[]): JsonObject {
  return without(object, ...Object.keys(object).filter((key) => !keys.includes(key)));
}

/** `$deleteFromPrimitiveList` first, then `$setElementOrder` of lists that the patch itself does not hold. */
function applyListDirectives(result: JsonObject, patch: JsonObject, schema: Schema): void {
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(deletePrefix)) {
      const name = key.slice(deletePrefix.length);
      if (!Array.isArray(value)) throw malformed(`${key} must be a list.`);
      const kept = ownList(result, name).filter((item) => !value.some((gone) => equal(gone, item)));
      if (own(result, name) !== undefined) put(result, name, kept);
    }
  }
  for (const [key, value] of Object.entries(patch)) {
    if (!key.startsWith(orderPrefix)) continue;
    const name = key.slice(orderPrefix.length);
    const before = own(result, name);
    if (!Array.isArray(value)) throw malformed(`${key} must be a list.`);
    if (Array.isArray(before) && own(patch, name) === undefined) put(result, name, ordered(before, before, value, fieldOf(schema, name)));
  }
}

function mergeListField(before: Json | undefined, items: Json[], field: Field | undefined, order: Json | undefined): Json {
  const merges = field?.patch?.merge === true;
  if (!merges) {
    if (items.some((item) => isObject(item) && own(item, directive) === 'delete'))
      throw malformed('A list that does not merge cannot delete single items.');
    return items.filter((item) => !isDirective(item)).map(withoutDirectivesOf);
  }
  const base = Array.isArray(before) ? before : [];
  const merged = field.patch?.key ? mergeByKey(base, items, field, field.patch.key) : mergeSet(base, items);
  // Without an order of its own the patch's items are the order.
  return ordered(merged, base, Array.isArray(order) ? order : items, field);
}

const isDirective = (item: Json): boolean => isObject(item) && own(item, directive) !== undefined && Object.keys(item).length === 1;

function mergeSet(base: readonly Json[], items: readonly Json[]): Json[] {
  const seen = new Set<string>();
  const result: Json[] = [];
  for (const item of [...base, ...items]) {
    const text = canonical(item);
    if (seen.has(text)) continue;
    seen.add(text);
    result.push(copy(item));
  }
  return result;
}

function mergeByKey(base: readonly Json[], items: readonly Json[], field: Field, key: string): Json[] {
  const itemSchema = field.schema.kind === 'list' ? field.schema.items : anySchema;
  let result: Json[] = base.map(copy);
  if (items.some((item) => isObject(item) && own(item, directive) === 'replace')) {
    return items.filter((item) => !isDirective(item)).map(withoutDirectivesOf);
  }
  for (const item of items) {
    if (!isObject(item)) throw malformed('A list that merges by key holds an item that is no map.');
    const name = own(item, key);
    const how = own(item, directive);
    if (name === undefined) throw malformed(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
    const matches = (candidate: Json): boolean => isObject(candidate) && equal(own(candidate, key), name);
    if (how === 'delete') {
      result = result.filter((candidate) => !matches(candidate));
      continue;
    }
    if (how !== undefined && how !== 'merge') throw malformed(`Unknown patch type: ${JSON.stringify(how)}`);
    const index = result.findIndex(matches);
    const clean = without(item, directive);
    if (index < 0) result.push(withoutDirectives(clean));
    else result[index] = mergeMap(result[index] as JsonObject, clean, itemSchema);
  }
  return result;
}

/**
 * The merged items in the order of the list that the patch names; items that only the server has keep their place relative to the
 * items before them in the live list, and stand first when there was none.
 */
function ordered(merged: readonly Json[], live: readonly Json[], order: readonly Json[], field: Field | undefined): Json[] {
  const key = field?.patch?.key;
  const idOf = (item: Json): string => canonical(key && isObject(item) ? (own(item, key) ?? null) : item);
  const wanted = new Map(order.map((item, index) => [idOf(item), index]));
  const livePlace = new Map(live.map((item, index) => [idOf(item), index]));
  const named = merged.filter((item) => wanted.has(idOf(item))).sort((a, b) => wanted.get(idOf(a))! - wanted.get(idOf(b))!);
  const serverOnly = merged
    .filter((item) => !wanted.has(idOf(item)))
    .sort((a, b) => (livePlace.get(idOf(a)) ?? 0) - (livePlace.get(idOf(b)) ?? 0));
  const result: Json[] = [];
  let next = 0;
  for (const item of named) {
    const place = livePlace.get(idOf(item));
    while (place !== undefined && next < serverOnly.length && livePlace.get(idOf(serverOnly[next] as Json))! < place)
      result.push(serverOnly[next++] as Json);
    result.push(item);
  }
  return [...result, ...serverOnly.slice(next)];
}

function withoutDirectivesOf(value: Json): Json {
  if (Array.isArray(value)) return value.filter((item) => !isDirective(item)).map(withoutDirectivesOf);
  return isObject(value) ? withoutDirectives(value) : value;
}

/** What a patch puts where nothing was: its data without directives and without nulls. */
function withoutDirectives(object: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(object)) {
    if (value === null || key === directive || key === retainKeys || key.startsWith(deletePrefix) || key.startsWith(orderPrefix)) continue;
    put(result, key, withoutDirectivesOf(value));
  }
  return result;
}
