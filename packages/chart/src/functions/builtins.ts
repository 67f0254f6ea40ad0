import { GoComplex } from '../value/complex.ts';
import { GoInt, GoObject, int, integerOf, isTrue, kindName, listItems, TypedList, TypedMap, typeName, type Value } from '../value/kinds.ts';
import { printPointee, printValue, sprint, sprintln } from '../value/print.ts';
import { paddingOf, printsAgain, sprintf } from '../value/printf.ts';
import { byteLength, compareText, isPrint, toBytes } from '../value/text.ts';
import { chargePrinting } from './costs.ts';
import { contextual, type FunctionGroup, fail, fn } from './define.ts';

/** The functions of Go's own template package. `and`, `or` and `call` are the evaluator's; here are their names. */

type Basic = 'bool' | 'int' | 'uint' | 'float' | 'complex' | 'string' | undefined;

function basicKind(value: Value): Basic {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return 'float';
  if (value instanceof GoInt) return value.kind.startsWith('u') ? 'uint' : 'int';
  if (value instanceof GoComplex) return 'complex';
  return integerOf(value) === undefined ? undefined : 'int';
}

const isNothing = (value: Value): value is null | undefined => value === null || value === undefined;

function isNilValue(value: Value): boolean {
  return isNothing(value) || ((value instanceof TypedList || value instanceof TypedMap) && value.isNil);
}

/** Integers compare by number whatever their kind. */
const numberOf = (value: Value): bigint => integerOf(value) as bigint;

function equal(a: Value, b: Value): boolean {
  const [kindA, kindB] = [basicKind(a), basicKind(b)];
  if (kindA !== kindB) {
    if ((kindA === 'int' && kindB === 'uint') || (kindA === 'uint' && kindB === 'int')) return numberOf(a) === numberOf(b);
    if (!isNothing(a) && !isNothing(b)) fail(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`);
    return false;
  }
  if (kindA === 'int' || kindA === 'uint') return numberOf(a) === numberOf(b);
  if (a instanceof GoComplex && b instanceof GoComplex) return a.real === b.real && a.imaginary === b.imaginary;
  if (kindA !== undefined) return a === b;
  if (!isNothing(a) && !isNothing(b) && kindName(a) !== kindName(b)) {
    fail(sprintf('non-comparable types %s: %v, %s: %v', [a, typeName(a), typeName(b), b]));
  }
  if (isNilValue(a) || isNilValue(b)) return isNilValue(a) === isNilValue(b);
  if (kindName(b) === 'map' || kindName(b) === 'slice') fail(sprintf('non-comparable type %s: %v', [b, typeName(b)]));
  return a === b || (b instanceof GoObject && b.kind === 'struct' && printValue(a, 'syntax') === printValue(b, 'syntax'));
}

function less(a: Value, b: Value): boolean {
  const [kindA, kindB] = [basicKind(a), basicKind(b)];
  if (kindA === undefined || kindB === undefined) return fail('invalid type for comparison');
  if (kindA !== kindB) {
    if ((kindA === 'int' && kindB === 'uint') || (kindA === 'uint' && kindB === 'int')) return numberOf(a) < numberOf(b);
    return fail(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`);
  }
  switch (kindA) {
    case 'bool':
    case 'complex':
      return fail('invalid type for comparison');
    case 'string':
      return compareText(a as string, b as string) < 0;
    case 'float':
      return (a as number) < (b as number);
    default:
      return numberOf(a) < numberOf(b);
  }
}

function index(start: Value, indexes: readonly Value[]): Value {
  if (isNothing(start)) return fail('index of untyped nil');
  let item: Value = start;
  for (const at of indexes) {
    if (isNothing(item)) return fail('index of nil pointer');
    if (item instanceof Map) {
      if (isNothing(at)) fail('value is nil; should be of type string');
      if (typeof at !== 'string') return fail(`value has type ${typeName(at)}; should be string`);
      item = item.has(at) ? (item.get(at) ?? null) : item instanceof TypedMap ? item.zero : null;
      continue;
    }
    const items = listItems(item);
    if (items) item = items[position(at, items.length)];
    else if (typeof item === 'string') {
      const bytes = toBytes(item);
      item = new GoInt('uint8', BigInt(bytes[position(at, bytes.length, 'string')] as number));
    } else if (item instanceof GoObject && item.kind === 'map') {
      if (typeof at !== 'string')
        return fail(isNothing(at) ? 'value is nil; should be of type string' : `value has type ${typeName(at)}; should be string`);
      item = item.field(at)?.value ?? null;
    } else return fail(`can't index item of type ${typeName(item)}`);
  }
  return item;
}

function position(at: Value, length: number, of: 'slice' | 'string' = 'slice'): number {
  if (isNothing(at)) return fail('cannot index slice/array with nil');
  const number = integerOf(at);
  if (number === undefined) return fail(`cannot index slice/array with type ${typeName(at)}`);
  if (number < 0n || number > length) return fail(`index out of range: ${number}`);
  if (number === BigInt(length)) return fail(`reflect: ${of} index out of range`);
  return Number(number);
}

function length(item: Value): Value {
  if (isNothing(item)) return fail(item === null ? 'len of nil pointer' : 'reflect: call of reflect.Value.Type on zero Value');
  if (typeof item === 'string') return int(byteLength(item));
  if (item instanceof Map) return int(item.size);
  const items = listItems(item);
  const size = items?.length ?? (item instanceof GoObject ? item.size() : undefined);
  return size !== undefined ? int(size) : fail(`len of type ${typeName(item).replace(/^\*/, '')}`);
}

const htmlEscapes: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\ufffd',
};

const escapeHtml = (text: string): string => text.replace(/["'&<>\0]/g, (c) => htmlEscapes[c] as string);

function escapeJs(text: string): string {
  return text.replace(/[\\'"<>&=\0-\x1f]|[^\0-\x7f]/gu, (character) => {
    if (character === '\\' || character === "'" || character === '"') return `\\${character}`;
    const code = character.codePointAt(0) as number;
    // A byte that is no UTF-8 stays, too.
    if (code >= 0x80 && (isPrint(character) || (code >= 0xdc80 && code <= 0xdcff))) return character;
    return `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
  });
}

/** url.QueryEscape. */
export function escapeQuery(text: string): string {
  let out = '';
  for (const byte of toBytes(text)) {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z0-9_.~-]/.test(character)) out += character;
    else out += byte === 32 ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** Arguments of the escapers as one text; no value prints as such. */
const joined = (values: Value[]): string => {
  if (values.length === 1) return isNothing(values[0]) ? '<no value>' : printPointee(values[0]);
  return sprint(values.map((value) => (isNothing(value) ? '<no value>' : value)));
};

const slot = fn(['value', '...value'], () => fail('handled by the evaluator'));

export const builtins: FunctionGroup = {
  and: slot,
  or: slot,
  call: slot,
  html: fn(['...any'], (...values) => escapeHtml(joined(values))),
  index: fn(['value', '...value'], (item, ...indexes) => index(item, indexes)),
  js: fn(['...any'], (...values) => escapeJs(joined(values))),
  len: fn(['value'], length),
  not: fn(['value'], (value) => !isTrue(value)),
  print: fn(['...any'], (...values) => sprint(values)),
  printf: contextual(['string', '...any'], ({ budget }, format, ...values) => {
    budget.size(paddingOf(format, values));
    if (printsAgain(format)) for (let i = format.split('%').length; i > 2; i--) chargePrinting(budget, values);
    return sprintf(format, values);
  }),
  println: fn(['...any'], (...values) => sprintln(values)),
  urlquery: fn(['...any'], (...values) => escapeQuery(joined(values))),
  eq: fn(['value', '...value'], (a, ...others) =>
    others.length === 0 ? fail('missing argument for comparison') : others.some((b) => equal(a, b)),
  ),
  ne: fn(['value', 'value'], (a, b) => !equal(a, b)),
  lt: fn(['value', 'value'], less),
  le: fn(['value', 'value'], (a, b) => less(a, b) || equal(a, b)),
  gt: fn(['value', 'value'], (a, b) => !(less(a, b) || equal(a, b))),
  ge: fn(['value', 'value'], (a, b) => !less(a, b)),
};
