import { parseTime } from '../time/parse-time.ts';
import type { GoTime } from '../time/time.ts';
import { utc } from '../time/zone.ts';
import { GoInt, type Value } from '../value/kinds.ts';
import { quote } from '../value/text.ts';

/** Numbers, dates and words of TOML: the same steps as BurntSushi's lexer and parser take, and their words. */

export interface Scalar {
  readonly value: Value;
  /** Where it ends. */
  readonly end: number;
}

type Fail = (problem: string) => never;

/** @returns undefined where no such value begins */
export function readScalar(text: string, at: number, fail: Fail): Scalar | undefined {
  const character = text[at] ?? '';
  if (isDigit(character)) return numberOrDate(text, at, fail);
  if (character === '+' || character === '-') return signed(text, at, fail);
  if (character === '.') return fail("floats must start with a digit, not '.'");
  if (!/\p{L}/u.test(matched(text, at, /./suy))) return undefined;
  let start = at;
  if (character === 'i' || character === 'n') {
    // What was taken in the hope of `inf` or `nan` is given back but for one letter.
    let end = at + 1;
    const isFloat = (text[end] === 'n' && text[++end] === 'f') || (text[end] === 'a' && text[++end] === 'n');
    if (isFloat) return { value: special(text.slice(at, end + 1), fail), end: end + 1 };
    start = end - 1;
  }
  const word = matched(text, start, /\p{L}*/uy);
  if (word !== 'true' && word !== 'false') fail(`expected value but found ${quote(word)} instead`);
  return { value: word === 'true', end: start + word.length };
}

function special(word: string, fail: Fail): number {
  if (word === 'inf') return Number.POSITIVE_INFINITY;
  // It takes the letters in other orders too, and sees only later that they are none.
  return word === 'nan' ? Number.NaN : fail(`Invalid float ${quote(word)}: underscores must be surrounded by digits`);
}

const isDigit = (character: string | undefined): boolean => character !== undefined && /^[0-9]$/.test(character);

function matched(text: string, at: number, form: RegExp): string {
  form.lastIndex = at;
  return form.exec(text)?.[0] ?? '';
}

const bases: Readonly<Record<string, { readonly form: RegExp; readonly name: string }>> = {
  '0b': { form: /0b[01_]*/y, name: 'a binary' },
  '0o': { form: /0o[0-7_]*/y, name: 'an octal' },
  '0x': { form: /0x[0-9a-fA-F_]*/y, name: 'a hexadecimal' },
};

function numberOrDate(text: string, at: number, fail: Fail): Scalar {
  const prefix = text.slice(at, at + 2);
  const base = Object.hasOwn(bases, prefix) ? bases[prefix] : undefined;
  if (base) {
    const word = matched(text, at, base.form);
    if (word.length === 2 || word[2] === '_') fail(`not ${base.name} number: '${prefix}${text[at + 2] ?? '\0'}'`);
    return { value: integer(word, fail), end: at + word.length };
  }
  // One zero alone begins no date.
  const date = matched(text, at, /(?:[1-9]|0(?=[0-9]))[0-9]*[-:][-0-9:Tt .Zz+]*/y);
  if (date !== '') return { value: dateTime(date.trimEnd(), fail), end: at + date.length };
  return decimal(text, at, fail);
}

function signed(text: string, at: number, fail: Fail): Scalar {
  const word = matched(text, at + 1, /i(?:nf?)?|n(?:an?)?/y);
  if (word !== '') {
    if (word.length < 3) fail(`invalid float: '${text[at]}${word}'`);
    return { value: special(word, fail) * (text[at] === '-' ? -1 : 1), end: at + 4 };
  }
  const first = text[at + 1];
  if (first === '0' && /^[box]$/.test(text[at + 2] ?? '')) fail(`cannot use sign with non-decimal numbers: '${text.slice(at, at + 3)}'`);
  if (first === '.') fail("floats must start with a digit, not '.'");
  if (!isDigit(first)) fail(`expected a digit but got ${quote(matched(text, at + 1, /./suy) || '\0', "'")}`);
  return decimal(text, at, fail);
}

function decimal(text: string, at: number, fail: Fail): Scalar {
  const word = matched(text, at, /[+-]?[0-9_]*(?:[.eE][-0-9_.+eE]*)?/y);
  const value = /[.eE]/.test(word) ? float(word, fail) : integer(word, fail);
  return { value, end: at + word.length };
}

const hasLoneUnderscore = (word: string): boolean => /(?<![0-9a-fA-F])_|_(?![0-9a-fA-F])/.test(word);
const hasLeadingZero = (word: string): boolean => /^0[^box]|^[+-]0./.test(word);

function integer(word: string, fail: Fail): Value {
  if (hasLoneUnderscore(word)) fail(`Invalid integer ${quote(word)}: underscores must be surrounded by digits`);
  if (hasLeadingZero(word)) fail(`Invalid integer ${quote(word)}: cannot have leading zeroes`);
  const digits = word.replace(/^[+-]|_/g, '');
  // No number of 64 bits has as many digits, zeros before them apart.
  const number = digits.length > 1000 ? 2n ** 64n : BigInt(digits) * (word.startsWith('-') ? -1n : 1n);
  if (BigInt.asIntN(64, number) !== number) fail(`${word} is out of range for int64`);
  return new GoInt('int64', number);
}

function float(word: string, fail: Fail): Value {
  const parts = word.split(/[.eE]/).filter((part) => part !== '');
  if (parts.some((part) => !/[0-9]$/.test(part) || hasLoneUnderscore(part)))
    fail(`Invalid float ${quote(word)}: underscores must be surrounded by digits`);
  if (hasLeadingZero(parts[0] ?? '')) fail(`Invalid float ${quote(word)}: cannot have leading zeroes`);
  if (/\.(?![0-9])/.test(word)) fail(`Invalid float ${quote(word)}: '.' must be followed by one or more digits`);
  const plain = word.replaceAll('_', '');
  if (!/^[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/.test(plain)) fail(`Invalid float value: ${quote(word)}`);
  const number = Number(plain);
  return Number.isFinite(number) ? number : fail(`${word} is out of range for float64`);
}

const layouts = [
  '2006-01-02T15:04:05.999999999Z07:00',
  '2006-01-02T15:04:05.999999999',
  '2006-01-02',
  '15:04:05.999999999',
  '2006-01-02T15:04Z07:00',
  '2006-01-02T15:04',
  '15:04',
];

function dateTime(word: string, fail: Fail): Value {
  const text = word.replaceAll('z', 'Z').replaceAll('t', 'T').replaceAll(' ', 'T');
  for (const layout of layouts) {
    const time = parsed(layout, text);
    if (time && hasAllDigits(text, layout)) return time;
    if (time) break;
  }
  return fail(`invalid datetime: ${quote(text)}`);
}

function parsed(layout: string, text: string): GoTime | undefined {
  try {
    return parseTime(layout, text, utc);
  } catch {
    return undefined;
  }
}

/** Go reads hours of one digit, TOML does not: then the marks between do not stand where they should. */
function hasAllDigits(text: string, layout: string): boolean {
  const fixed = /^[^.Z]*/.exec(layout)?.[0] ?? '';
  return [...fixed].every((mark, index) => isDigit(mark) || text[index] === mark);
}
