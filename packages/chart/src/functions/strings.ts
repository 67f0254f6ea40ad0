import { toText, toTexts } from '../value/convert.ts';
import { strings, TypedMap, type Value } from '../value/kinds.ts';
import { printValue } from '../value/print.ts';
import { byteLength, byteSlice, compareText, quote, trimSpace } from '../value/text.ts';
import {
  abbreviate,
  abbreviateBoth,
  camelCase,
  deleteSpace,
  initials,
  kebabCase,
  snakeCase,
  swapCase,
  uncapitalize,
  wrap,
} from './cases.ts';
import { contextual, type FunctionGroup, fail, fn } from './define.ts';

/** Text functions of sprig. Lengths and positions are bytes, as Go's. */

function trimSet(set: string, text: string): string {
  const characters = [...text];
  const cut = new Set(set);
  let start = 0;
  let end = characters.length;
  while (start < end && cut.has(characters[start] as string)) start++;
  while (end > start && cut.has(characters[end - 1] as string)) end--;
  return characters.slice(start, end).join('');
}

/** Go's simple case mapping: one character for one (ß stays). */
function mapCase(text: string, change: (character: string) => string): string {
  if (!/[^\0-\x7f]/.test(text)) return change(text);
  return Array.from(text, (character) => {
    const mapped = change(character);
    return [...mapped].length === 1 ? mapped : character;
  }).join('');
}

export const upper = (text: string): string => mapCase(text, (c) => c.toUpperCase());
/** The dotted capital I has a simple small letter, unlike in JavaScript. */
export const lower = (text: string): string => mapCase(text.replaceAll('\u0130', 'i'), (c) => c.toLowerCase());

/** strings.Title: a letter after anything but a letter, digit, underscore or mark goes to upper case. */
function title(text: string): string {
  let previous = ' ';
  return Array.from(text, (character) => {
    const out = isSeparator(previous) ? upper(character) : character;
    previous = character;
    return out;
  }).join('');
}

function isSeparator(character: string): boolean {
  if (/^[\0-\x7f]$/.test(character)) return !/[A-Za-z0-9_]/.test(character);
  return !/[\p{L}\p{Nd}]/u.test(character) && /\s/.test(character);
}

function splitText(separator: string, text: string, count = -1): string[] {
  if (count === 0) return [];
  const parts = separator === '' ? [...text] : text.split(separator);
  if (count < 0 || parts.length <= count) return parts;
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)];
}

const numbered = (parts: string[]): TypedMap =>
  new TypedMap(
    'map[string]string',
    '',
    parts.map((part, at) => [`_${at}`, part]),
  );

function substring(start: number, end: number, text: string): string {
  const length = byteLength(text);
  if (start < 0) return checkedSlice(text, 0, end, length, `:${end}`);
  if (end < 0 || end > length) return checkedSlice(text, start, length, length, `${start}:`);
  return checkedSlice(text, start, end, length, `${start}:${end}`);
}

function checkedSlice(text: string, start: number, end: number, length: number, shown: string): string {
  if (end < 0 || end > length) return fail(`runtime error: slice bounds out of range [:${end}]${end < 0 ? '' : ` with length ${length}`}`);
  if (start > end) return fail(`runtime error: slice bounds out of range [${start}:${shown.endsWith(':') ? length : end}]`);
  return byteSlice(text, start, end);
}

function truncate(count: number, text: string): string {
  const length = byteLength(text);
  if (count < 0 && length + count > 0) return byteSlice(text, length + count, length);
  return count >= 0 && length > count ? byteSlice(text, 0, count) : text;
}

const notNil = (value: Value): boolean => value !== null && value !== undefined;

function replaceAll(old: string, replacement: string, text: string): string {
  if (old !== '') return text.replaceAll(old, () => replacement);
  return replacement + Array.from(text, (character) => character + replacement).join('');
}

/** How often a text holds another; the empty one stands between all characters. */
function countOf(part: string, text: string): number {
  if (part === '') return text.length + 1;
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count++;
  return count;
}

const contains = fn(['string', 'string'], (part, text) => text.includes(part));

export const stringFunctions: FunctionGroup = {
  abbrev: fn(['int', 'string'], (width, text) => abbreviate(text, Number(width.value))),
  abbrevboth: fn(['int', 'int', 'string'], (left, right, text) => abbreviateBoth(text, Number(left.value), Number(right.value))),
  camelcase: fn(['string'], camelCase),
  cat: fn(['...any'], (...values) =>
    values
      .filter(notNil)
      .map((value) => printValue(value))
      .join(' '),
  ),
  contains,
  hasPrefix: fn(['string', 'string'], (part, text) => text.startsWith(part)),
  hasSuffix: fn(['string', 'string'], (part, text) => text.endsWith(part)),
  hello: fn([], () => 'Hello!'),
  indent: contextual(['int', 'string'], (context, spaces, text) => indent(context, spaces.value, text)),
  initials: fn(['string'], initials),
  join: contextual(['string', 'any'], (context, separator, value) => {
    const texts = toTexts(value);
    context.budget.size(separator.length * texts.length);
    return texts.join(separator);
  }),
  kebabcase: fn(['string'], kebabCase),
  lower: fn(['string'], lower),
  nindent: contextual(['int', 'string'], (context, spaces, text) => `\n${indent(context, spaces.value, text)}`),
  nospace: fn(['string'], deleteSpace),
  plural: fn(['string', 'string', 'int'], (one, many, count) => (count.value === 1n ? one : many)),
  quote: fn(['...any'], (...values) =>
    values
      .filter(notNil)
      .map((value) => quote(toText(value)))
      .join(' '),
  ),
  repeat: contextual(['int', 'string'], (context, count, text) => {
    if (count.value < 0n) return fail('strings: negative Repeat count');
    if (count.value > 2n ** 53n) return fail('strings: Repeat output length overflow');
    context.budget.size(Number(count.value) * text.length);
    return text.repeat(Number(count.value));
  }),
  replace: contextual(['string', 'string', 'string'], (context, old, replacement, text) => {
    const places = old === '' ? text.length + 1 : text.length / old.length;
    if (places * replacement.length > 100_000) context.budget.size(countOf(old, text) * replacement.length + text.length);
    return replaceAll(old, replacement, text);
  }),
  snakecase: fn(['string'], snakeCase),
  sortAlpha: fn(['any'], (value) =>
    strings(
      Array.isArray(value) || (value && typeof value === 'object' && 'items' in value) ? toTexts(value).sort(compareText) : [toText(value)],
    ),
  ),
  split: fn(['string', 'string'], (separator, text) => numbered(splitText(separator, text))),
  splitList: fn(['string', 'string'], (separator, text) => strings(splitText(separator, text))),
  splitn: fn(['string', 'int', 'string'], (separator, count, text) => numbered(splitText(separator, text, Number(count.value)))),
  squote: fn(['...any'], (...values) =>
    values
      .filter(notNil)
      .map((value) => `'${printValue(value)}'`)
      .join(' '),
  ),
  substr: fn(['int', 'int', 'string'], (start, end, text) => substring(Number(start.value), Number(end.value), text)),
  swapcase: fn(['string'], swapCase),
  title: fn(['string'], title),
  toString: fn(['any'], toText),
  toStrings: fn(['any'], (value) =>
    value && typeof value === 'object' && 'items' in value && value.type === '[]string' ? value : strings(toTexts(value)),
  ),
  trim: fn(['string'], trimSpace),
  trimAll: fn(['string', 'string'], trimSet),
  trimall: fn(['string', 'string'], trimSet),
  trimPrefix: fn(['string', 'string'], (prefix, text) => (text.startsWith(prefix) ? text.slice(prefix.length) : text)),
  trimSuffix: fn(['string', 'string'], (suffix, text) => (suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text)),
  trunc: fn(['int', 'string'], (count, text) => truncate(Number(count.value), text)),
  untitle: fn(['string'], uncapitalize),
  upper: fn(['string'], upper),
  wrap: fn(['int', 'string'], (width, text) => wrap(text, Number(width.value), '\n', false)),
  wrapWith: contextual(['int', 'string', 'string'], (context, width, separator, text) => {
    const limit = Math.max(Number(width.value), 1);
    context.budget.size((text.length / limit) * separator.length + text.length);
    return wrap(text, limit, separator, true);
  }),
};

function indent(context: { budget: { size(length: number): void } }, spaces: bigint, text: string): string {
  if (spaces < 0n) return fail('strings: negative Repeat count');
  const count = Number(spaces);
  if (count * text.length > 100_000) context.budget.size(count * (countOf('\n', text) + 1) + text.length);
  const pad = ' '.repeat(count);
  return pad + text.replaceAll('\n', `\n${pad}`);
}
