/**
 * What a server does with a body before anything else: refuse what cannot be decoded, name or drop what it does not know.
 */
import { isBuiltin } from './builtin.ts';
import { SchemaError } from './errors.ts';
import { isObject, type Json, type JsonObject, put } from './json.ts';
import { isQuantity } from './quantity.ts';
import type { ScalarSchema, Schema, StructSchema } from './types.ts';

/** Deeper values are refused; encoding/json stops at 10,000, no real object passes 40. */
export const maxDepth = 128;
const maxWarnings = 100;

/** Throws TOO_DEEP when the value nests deeper than `limit`; an own stack, so that depth cannot exhaust ours. */
export function checkDepth(value: Json, limit = maxDepth): void {
  const stack: { value: Json; depth: number }[] = [{ value, depth: 0 }];
  for (let entry = stack.pop(); entry; entry = stack.pop()) {
    if (typeof entry.value !== 'object' || entry.value === null) continue;
    if (entry.depth >= limit)
      throw new SchemaError('TOO_DEEP', `The body nests deeper than ${limit} levels.`, { cure: 'Send an object with fewer levels.' });
    for (const child of Object.values(entry.value)) stack.push({ value: child, depth: entry.depth + 1 });
  }
}

/**
 * The fields of an object that its schema does not know, as `fieldValidation=Strict` and `Warn` report them:
 * `unknown field "spec.template.spec.containers[0].imagee"`; at most 100.
 */
export function unknownFields(object: JsonObject, schema: StructSchema): string[] {
  const found: string[] = [];
  const visit = (value: Json, at: Schema, path: string): void => {
    if (found.length >= maxWarnings) return;
    if (at.kind === 'list' && Array.isArray(value)) {
      for (const [index, item] of value.entries()) visit(item, at.items, `${path}[${index}]`);
    } else if (at.kind === 'map' && isObject(value))
      for (const [key, item] of Object.entries(value)) visit(item, at.values, `${path}.${key}`);
    else if (at.kind === 'struct' && isObject(value)) {
      for (const [key, item] of Object.entries(value)) {
        const field = at.fields.get(key);
        const here = path ? `${path}.${key}` : key;
        if (field) visit(item, field.schema, here);
        else if (!at.open && found.length < maxWarnings) found.push(`unknown field ${JSON.stringify(here)}`);
      }
    }
  };
  visit(object, schema, '');
  return found;
}

/**
 * The object without unknown fields and without nulls where the schema takes none, as a server stores it. A built-in kind loses empty
 * lists and maps that nothing requires, too: Go's types cannot tell them from absent ones (`managedFields: []`, which resets, stays).
 */
export function pruneUnknown(object: JsonObject, schema: StructSchema): JsonObject {
  const typed = isBuiltin(schema);
  const prune = (value: Json, at: Schema): Json => {
    if (at.kind === 'list' && Array.isArray(value)) return value.map((item) => prune(item, at.items));
    if (at.kind === 'map' && isObject(value))
      return eachOf(value, (_, item) => (item === null && !nullable(at.values) ? undefined : prune(item, at.values)));
    if (at.kind === 'struct' && isObject(value))
      return eachOf(value, (key, item) => {
        const field = at.fields.get(key);
        if (!field) return at.open ? item : undefined;
        if (item === null && !nullable(field.schema)) return undefined;
        const pruned = prune(item, field.schema);
        return typed && isVoid(pruned, field.schema) && key !== 'managedFields' && !at.required.includes(key) ? undefined : pruned;
      });
    return value;
  };
  return prune(object, schema) as JsonObject;
}

const isVoid = (value: Json, schema: Schema): boolean =>
  (schema.kind === 'list' || schema.kind === 'map') && typeof value === 'object' && value !== null && Object.keys(value).length === 0;

const nullable = (schema: Schema): boolean => schema.kind === 'any' || schema.nullable === true;

function eachOf(object: JsonObject, change: (key: string, value: Json) => Json | undefined): JsonObject {
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(object)) {
    const changed = change(key, value);
    if (changed !== undefined) put(result, key, changed);
  }
  return result;
}

/** How Go's encoding/json names the JSON type that it met. */
function jsonType(value: Json): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value;
}

function goType(schema: Schema): string {
  switch (schema.kind) {
    case 'list':
      return `[]${goType(schema.items)}`;
    case 'map':
      return `map[string]${goType(schema.values)}`;
    case 'struct':
      return schema.name.split('.').slice(-2).join('.');
    case 'any':
      return 'interface {}';
    default:
      return schema.type === 'integer'
        ? (schema.format ?? 'int64')
        : schema.type === 'number'
          ? 'float64'
          : schema.type === 'boolean'
            ? 'bool'
            : schema.type === 'bytes'
              ? '[]uint8'
              : 'string';
  }
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

function scalarError(value: Json, schema: ScalarSchema): 'type' | string | undefined {
  switch (schema.type) {
    case 'string':
    case 'duration':
      return typeof value === 'string' ? undefined : 'type';
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'type';
    case 'integer': {
      if (typeof value !== 'number') return 'type';
      const limit = schema.format === 'int32' ? 2 ** 31 : 2 ** 63;
      return Number.isInteger(value) && value < limit && value >= -limit ? undefined : 'type';
    }
    case 'number':
      return typeof value === 'number' ? undefined : 'type';
    case 'int-or-string':
      return typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value)) ? undefined : 'type';
    case 'quantity':
      if (typeof value !== 'string' && typeof value !== 'number') return 'type';
      return isQuantity(String(value))
        ? undefined
        : "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    case 'bytes':
      if (typeof value !== 'string') return 'type';
      return base64Error(value);
    case 'time':
    case 'micro-time':
      if (typeof value !== 'string') return 'type';
      return rfc3339.test(value) && !Number.isNaN(Date.parse(value))
        ? undefined
        : `parsing time ${JSON.stringify(JSON.stringify(value))} as ${JSON.stringify('"2006-01-02T15:04:05Z07:00"')}: cannot parse ${JSON.stringify(value)} as "2006"`;
  }
}

function base64Error(text: string): string | undefined {
  const compact = text.replace(/[\r\n]/g, '');
  const bad = /[^A-Za-z0-9+/]/.exec(compact.replace(/={1,2}$/, ''));
  if (bad) return `illegal base64 data at input byte ${bad.index}`;
  return compact.length % 4 === 0 ? undefined : `illegal base64 data at input byte ${Math.floor(compact.length / 4) * 4}`;
}

/**
 * Why a built-in object cannot be decoded, in the words of Go's decoder (a 400 whose message begins with
 * `Deployment in version "v1" cannot be handled as a Deployment: `); undefined when it can. Custom resources are validated instead.
 */
export function typeError(object: JsonObject, schema: StructSchema): string | undefined {
  const mismatch = (value: Json, at: Schema, owner: string, path: string): string =>
    owner
      ? `json: cannot unmarshal ${typeof value === 'number' && at.kind === 'scalar' && at.type === 'integer' ? `number ${value}` : jsonType(value)} into Go struct field ${owner}.${path} of type ${goType(at)}`
      : `json: cannot unmarshal ${jsonType(value)} into Go value of type ${goType(at)}`;
  const visit = (value: Json, at: Schema, owner: string, path: string): string | undefined => {
    if (value === null || at.kind === 'any') return undefined;
    if (at.kind === 'scalar') {
      const error = scalarError(value, at);
      return error === 'type' ? mismatch(value, at, owner, path) : error;
    }
    if (at.kind === 'list') {
      if (!Array.isArray(value)) return mismatch(value, at, owner, path);
      return first(value, (item) => visit(item, at.items, owner, path));
    }
    if (!isObject(value)) return mismatch(value, at, owner, path);
    if (at.kind === 'map') return first(Object.values(value), (item) => visit(item, at.values, owner, path));
    const name = at.name.slice(at.name.lastIndexOf('.') + 1);
    return first(Object.entries(value), ([key, item]) => {
      const field = at.fields.get(key);
      return field && visit(item, field.schema, name, path ? `${path}.${key}` : key);
    });
  };
  return visit(object, schema, '', '');
}

function first<T>(items: readonly T[], find: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
