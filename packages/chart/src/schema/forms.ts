import { Regex } from '../regex/regex.ts';
import { RegexError } from '../regex/syntax.ts';
import { type ExactJson, JsonNumber } from '../value/json.ts';
import { type Draft, draftOf } from './drafts.ts';

/**
 * Whether what stands at a keyword is surely right by the schemas of schemas of every draft that knows the keyword.
 *
 * Principle: nearly all schemas are right, and to check one against the schema of schemas takes longer than all else.
 * So the walk that finds its parts asks here; only when something looks odd does the schema of schemas decide, and
 * say what Helm says. A form may therefore refuse what is right, but must never take what is wrong.
 */

/** What stands where subschemas are: one, a list, a map of names; `dependencies` has lists of names beside schemas. */
export type Position = 'schema' | 'list' | 'map' | 'schema or list' | 'dependencies';

const position = (since: number, names: string, kind: Position): [string, { since: number; kind: Position }][] =>
  names.split(' ').map((name) => [name, { since, kind }]);

/** Where subschemas stand, and since which draft. */
export const positions: ReadonlyMap<string, { readonly since: number; readonly kind: Position }> = new Map([
  ...position(4, 'definitions properties patternProperties', 'map'),
  ...position(4, 'not additionalProperties additionalItems', 'schema'),
  ...position(4, 'allOf anyOf oneOf', 'list'),
  ...position(4, 'items', 'schema or list'),
  ...position(4, 'dependencies', 'dependencies'),
  ...position(6, 'propertyNames contains', 'schema'),
  ...position(7, 'if then else', 'schema'),
  ...position(2019, '$defs dependentSchemas', 'map'),
  ...position(2019, 'unevaluatedProperties unevaluatedItems contentSchema', 'schema'),
  ...position(2020, 'prefixItems', 'list'),
]);

type Form = (value: ExactJson, draft: Draft, charge: (steps: number) => void) => boolean;

const isText: Form = (value) => typeof value === 'string';
const isFlag: Form = (value) => typeof value === 'boolean';
const isNumber: Form = (value) => value instanceof JsonNumber;
const isCount: Form = (value) => value instanceof JsonNumber && /^\d+$/.test(value.literal);
const isBound: Form = (value, { version }) => version > 4 && value instanceof JsonNumber;
const matches =
  (pattern: RegExp): Form =>
  (value) =>
    typeof value === 'string' && pattern.test(value);

/** Some texts, each once. */
export const areNames = (value: ExactJson): value is string[] =>
  Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string') && new Set(value).size === value.length;

const types = new Set(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string']);

/** @param charge takes the steps of compiling it */
export function isPattern(value: ExactJson, charge: (steps: number) => void): boolean {
  if (typeof value !== 'string') return false;
  if (/^[\w \-^$]*$/.test(value)) return true;
  try {
    new Regex(value, charge);
    return true;
  } catch (error) {
    if (error instanceof RegexError) return false;
    throw error;
  }
}

// What follows a host is told from it at once: an expression that may divide a text at any place takes quadratic time.
const reference = matches(/^(?:https?:\/\/[\w.-]+(?=[/#]|$))?[\w./$~-]*(?:#[\w./$~-]*)?$/);
const id = matches(/^(?:https?:\/\/[\w.-]+(?=\/|$))?[\w./$~-]*$/);

const form = (names: string, check: Form): [string, Form][] => names.split(' ').map((name) => [name, check]);

export const forms: ReadonlyMap<string, Form> = new Map([
  ...form('title description $comment format contentMediaType contentEncoding', isText),
  ...form('uniqueItems readOnly writeOnly deprecated', isFlag),
  ...form('maximum minimum', isNumber),
  ...form('exclusiveMaximum exclusiveMinimum', isBound),
  ...form('maxLength minLength maxItems minItems maxContains minContains maxProperties minProperties', isCount),
  ...form('multipleOf', (value) => value instanceof JsonNumber && Number(value.literal) > 0),
  ...form('pattern', (value, _draft, charge) => isPattern(value, charge)),
  ...form('required', areNames),
  ...form('enum', areNames),
  ...form('examples', Array.isArray),
  ...form('type', (value) => (typeof value === 'string' ? types.has(value) : areNames(value) && value.every((item) => types.has(item)))),
  ...form('dependentRequired', (value) => value instanceof Map && [...value.values()].every((item) => areNames(item))),
  ...form('$schema', (value) => typeof value === 'string' && draftOf(value) !== undefined),
  ...form('$ref $recursiveRef $dynamicRef', reference),
  ...form('id $id', id),
  ...form('$anchor $dynamicAnchor', matches(/^[A-Za-z][\w-]*$/)),
  ...form('$recursiveAnchor', (value, { version }) => version === 2019 && typeof value === 'boolean'),
  ...form('$vocabulary', () => false),
]);
