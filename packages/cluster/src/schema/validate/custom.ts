/**
 * Custom resources against their schema (OpenAPI v3, apiextensions.k8s.io/v1), in the words of the real server. Patterns run on a
 * matcher without backtracking, for a definition may come from anybody.
 */
import { RE2JS } from 're2js';
import { canonical, equal, isObject, type Json, type JsonObject, own, ownList, ownNumber, ownObject } from '../json.ts';
import { quantityNanos } from '../quantity.ts';
import type { ScalarSchema, Schema } from '../types.ts';
import { at, Report } from './causes.ts';

const patterns = new Map<string, RE2JS | undefined>();

/** The compiled pattern; undefined when it is none (a definition with such a pattern is refused by the real server). */
function compiled(pattern: string): RE2JS | undefined {
  if (!patterns.has(pattern)) {
    if (patterns.size > 500) patterns.clear();
    try {
      patterns.set(pattern, pattern.length > 2000 ? undefined : RE2JS.compile(pattern));
    } catch {
      patterns.set(pattern, undefined);
    }
  }
  return patterns.get(pattern);
}

const typeText = (value: Json): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'array'
      : isObject(value)
        ? 'object'
        : typeof value === 'number' && Number.isInteger(value)
          ? 'integer'
          : typeof value;

function scalarFits(value: Json, schema: ScalarSchema): boolean {
  switch (schema.type) {
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value);
    case 'number':
      return typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    case 'int-or-string':
    case 'quantity':
      return typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value));
    default:
      return typeof value === 'string';
  }
}

export function validateCustom(object: JsonObject, schema: Schema, report: Report): void {
  visit(object, schema, '', report);
}

function visit(value: Json, schema: Schema, path: string, report: Report): void {
  if (schema.kind === 'any') return;
  if (value === null && schema.nullable) return;
  const expected =
    schema.kind === 'scalar'
      ? schema.type === 'int-or-string'
        ? 'integer,string'
        : schema.type
      : schema.kind === 'list'
        ? 'array'
        : 'object';
  const fits = schema.kind === 'scalar' ? scalarFits(value, schema) : schema.kind === 'list' ? Array.isArray(value) : isObject(value);
  if (!fits) {
    report.wrongType(
      path || '<nil>',
      Array.isArray(value) ? 'array' : isObject(value) ? 'object' : value,
      `${path} in body must be of type ${expected}: "${typeText(value)}"`,
    );
    return;
  }
  if (schema.kind === 'list') visitList(value as Json[], schema, path, report);
  else if (schema.kind === 'map')
    for (const [key, item] of Object.entries(value as JsonObject)) visit(item, schema.values, at(path, key), report);
  else if (schema.kind === 'struct') {
    for (const name of schema.required) if (own(value as JsonObject, name) === undefined) report.required(at(path, name));
    for (const [key, item] of Object.entries(value as JsonObject)) {
      const field = schema.fields.get(key);
      if (field && !(path === '' && key === 'metadata')) visit(item, field.schema, at(path, key), report);
    }
  }
  if (schema.rules) applyRules(value, schema.rules, path, report);
}

function visitList(value: readonly Json[], schema: Schema & { kind: 'list' }, path: string, report: Report): void {
  const seen = new Set<string>();
  for (const [index, item] of value.entries()) {
    const here = at(path, index);
    visit(item, schema.items, here, report);
    if (schema.mode === 'atomic') continue;
    const id =
      schema.mode === 'set' ? canonical(item) : canonical(schema.keys.map((key) => (isObject(item) ? (own(item, key) ?? null) : null)));
    if (seen.has(id))
      report.duplicate(
        here,
        schema.mode === 'set' || !isObject(item) ? item : Object.fromEntries(schema.keys.map((key) => [key, own(item, key) ?? null])),
      );
    seen.add(id);
  }
}

/** The rules beside the type, as the schema spells them. */
function applyRules(value: Json, rules: JsonObject, path: string, report: Report): void {
  const allowed = ownList(rules, 'enum');
  if (allowed.length > 0 && !allowed.some((item) => equal(item, value)))
    report.unsupported(
      path,
      value,
      allowed.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))),
    );
  if (typeof value === 'string') stringRules(value, rules, path, report);
  if (typeof value === 'number') numberRules(value, rules, path, report);
  if (Array.isArray(value)) sizeRules(value.length, rules, 'Items', 'items', path, report);
  if (isObject(value)) sizeRules(Object.keys(value).length, rules, 'Properties', 'properties', path, report);
  combinedRules(value, rules, path, report);
}

function stringRules(value: string, rules: JsonObject, path: string, report: Report): void {
  const pattern = own(rules, 'pattern');
  if (typeof pattern === 'string' && compiled(pattern)?.matcher(value).find() === false)
    report.invalid(path, value, `${path} in body should match '${pattern}'`);
  const length = [...value].length;
  const [min, max] = [ownNumber(rules, 'minLength'), ownNumber(rules, 'maxLength')];
  if (min !== undefined && length < min) report.invalid(path, value, `${path} in body should be at least ${min} chars long`);
  if (max !== undefined && length > max) report.tooLong(path, max);
  const format = own(rules, 'format');
  if (format === 'date-time' && Number.isNaN(Date.parse(value)))
    report.invalid(path, value, `${path} in body must be of type date-time: ${JSON.stringify(value)}`);
  if (format === 'quantity' && quantityNanos(value) === undefined)
    report.invalid(path, value, `${path} in body must be of type quantity: ${JSON.stringify(value)}`);
}

function numberRules(value: number, rules: JsonObject, path: string, report: Report): void {
  const [min, max, step] = [ownNumber(rules, 'minimum'), ownNumber(rules, 'maximum'), ownNumber(rules, 'multipleOf')];
  const [aboveMin, belowMax] = [own(rules, 'exclusiveMinimum') === true, own(rules, 'exclusiveMaximum') === true];
  if (min !== undefined && (aboveMin ? value <= min : value < min))
    report.invalid(path, value, `${path} in body should be greater than ${aboveMin ? '' : 'or equal to '}${min}`);
  if (max !== undefined && (belowMax ? value >= max : value > max))
    report.invalid(path, value, `${path} in body should be less than ${belowMax ? '' : 'or equal to '}${max}`);
  if (step !== undefined && step > 0 && !Number.isInteger(value / step))
    report.invalid(path, value, `${path} in body should be a multiple of ${step}`);
}

function sizeRules(count: number, rules: JsonObject, suffix: 'Items' | 'Properties', word: string, path: string, report: Report): void {
  const [min, max] = [ownNumber(rules, `min${suffix}`), ownNumber(rules, `max${suffix}`)];
  if (min !== undefined && count < min) report.invalid(path, count, `${path} in body should have at least ${min} ${word}`);
  if (max !== undefined && count > max) report.tooMany(path, count, max);
}

function combinedRules(value: Json, rules: JsonObject, path: string, report: Report): void {
  const fits = (rule: Json): boolean => isObject(rule) && matchesRule(value, rule, 0);
  const [any, all, one] = [ownList(rules, 'anyOf'), ownList(rules, 'allOf'), ownList(rules, 'oneOf')];
  if (any.length > 0 && !any.some(fits))
    report.invalid(path || '<nil>', '', `${path ? `${path} in body` : '"" '} must validate at least one schema (anyOf)`);
  if (all.length > 0 && !all.every(fits))
    report.invalid(path || '<nil>', '', `${path ? `${path} in body` : '"" '} must validate all the schemas (allOf)`);
  if (one.length > 0 && one.filter(fits).length !== 1)
    report.invalid(
      path || '<nil>',
      '',
      `${path ? `${path} in body` : '"" '} must validate one and only one schema (oneOf). Found ${one.some(fits) ? 'more than 1 valid schemas' : 'none valid'}`,
    );
  const not = own(rules, 'not');
  if (not !== undefined && fits(not))
    report.invalid(path || '<nil>', '', `${path ? `${path} in body` : '"" '} must not validate the schema (not)`);
}

/** Junctors hold value validations only (structural schemas forbid types in them, apart from int-or-string's own). */
function matchesRule(value: Json, rule: JsonObject, depth: number): boolean {
  if (depth > 32) return false;
  const report = new Report();
  const type = own(rule, 'type');
  if (typeof type === 'string' && type !== typeText(value) && !(type === 'number' && typeof value === 'number')) return false;
  applyRules(value, rule, '', report);
  if (report.causes.length > 0) return false;
  if (isObject(value)) {
    if (!ownList(rule, 'required').every((name) => typeof name === 'string' && own(value, name) !== undefined)) return false;
    for (const [name, child] of Object.entries(ownObject(rule, 'properties') ?? {})) {
      const item = own(value, name);
      if (item !== undefined && isObject(child) && !matchesRule(item, child, depth + 1)) return false;
    }
  }
  const items = ownObject(rule, 'items');
  return !(items && Array.isArray(value)) || value.every((item) => matchesRule(item, items, depth + 1));
}
