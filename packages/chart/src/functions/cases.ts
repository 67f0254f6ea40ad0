import { byteLength, byteSlice, fromBytes, isAscii, toBytes } from '../value/text.ts';
import { fail } from './define.ts';

/** Case and layout of words as sprig's libraries xstrings and goutils have them, oddities included. */

const isConnector = (c: string): boolean => c === '-' || c === '_' || isSpace(c);
const isSpace = (c: string): boolean => /^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/.test(c);
const isUpper = (c: string): boolean => /^\p{Lu}$/u.test(c);
const isLower = (c: string): boolean => /^\p{Ll}$/u.test(c);
const isTitle = (c: string): boolean => /^\p{Lt}$/u.test(c);
const isNumber = (c: string): boolean => /^\p{N}$/u.test(c);
const isPunctuation = (c: string): boolean => /^\p{P}$/u.test(c);
/** A letter of a script that has words. */
const isLetter = (c: string): boolean => /^\p{L}$/u.test(c) && !/^[\u3400-\u9fff\uf900-\ufaff]$/u.test(c);

const toUpper = (c: string): string => one(c, c.toUpperCase());
const toLower = (c: string): string => one(c, c.toLowerCase());
const one = (before: string, after: string): string => ([...after].length === 1 ? after : before);

/** xstrings.ToPascalCase, which is sprig's `camelcase`. */
export function camelCase(text: string): string {
  const characters = [...text];
  let at = 0;
  while (at < characters.length && isConnector(characters[at] as string)) at++;
  let out = characters.slice(0, at).join('');
  if (at === characters.length) return out;
  let current = characters[at] as string;
  let lowering = isUpper(current);
  current = toUpper(current);
  if (at === characters.length - 1) return out + current;
  for (let i = at + 1; i < characters.length; i++) {
    const previous = current;
    current = characters[i] as string;
    if (isConnector(previous) && isConnector(current)) {
      out += previous;
      continue;
    }
    if (isConnector(previous)) {
      lowering = isUpper(current);
      current = toUpper(current);
      continue;
    }
    if (lowering) {
      if (isUpper(current)) current = toLower(current);
      else lowering = false;
    }
    out += previous;
  }
  return out + current;
}

type WordKind = 'none' | 'number' | 'upper' | 'letters' | 'connector' | 'punctuation' | 'other';
interface Word {
  readonly kind: WordKind;
  readonly text: string;
}

function runLength(characters: readonly string[], from: number, test: (c: string) => boolean): number {
  let end = from;
  while (end < characters.length && test(characters[end] as string)) end++;
  return end;
}

function nextWord(characters: readonly string[], start: number): [WordKind, number] {
  const first = characters[start] as string;
  const small = (c: string): boolean => isLetter(c) && !isUpper(c);
  if (isConnector(first)) return ['connector', runLength(characters, start, isConnector)];
  if (isPunctuation(first)) return ['punctuation', runLength(characters, start, isPunctuation)];
  if (isUpper(first)) {
    const capitals = runLength(characters, start, isUpper);
    if (capitals === start + 1) return ['upper', runLength(characters, capitals, small)];
    // The last capital begins the next word when small letters follow it.
    return ['upper', capitals < characters.length && isLetter(characters[capitals] as string) ? capitals - 1 : capitals];
  }
  if (isLetter(first)) return ['letters', runLength(characters, start, small)];
  if (isNumber(first)) return ['number', runLength(characters, start, isNumber)];
  const ends = (c: string): boolean => isConnector(c) || isLetter(c) || isNumber(c) || isPunctuation(c);
  return ['other', runLength(characters, start + 1, (c) => !ends(c))];
}

function words(text: string): Word[] {
  const characters = [...text];
  const found: Word[] = [];
  for (let at = 0; at < characters.length; ) {
    const [kind, end] = nextWord(characters, at);
    found.push({ kind, text: characters.slice(at, end).join('') });
    at = end;
  }
  return found;
}

export const snakeCase = (text: string): string => joinWords(text, '_');
export const kebabCase = (text: string): string => joinWords(text, '-');

/** xstrings' way: a connector between words, but digits cling to the letters beside them. */
function joinWords(text: string, connector: string): string {
  const list = words(text);
  let at = 0;
  let out = '';
  const nothing: Word = { kind: 'none', text: '' };
  const next = (): Word => list[at++] ?? nothing;
  const left = (): boolean => at < list.length;
  const write = ({ kind, text: word }: Word): void => {
    if (kind === 'upper') out += Array.from(word, toLower).join('');
    else out += kind === 'connector' ? connector.repeat([...word].length) : word;
  };
  const isJoint = ({ kind }: Word): boolean => kind === 'connector' || kind === 'punctuation';
  const clings = ({ kind }: Word): boolean => kind === 'letters' || kind === 'number';
  if (list.length === 0) return '';
  let word = next();
  while (left()) {
    if (word.kind !== 'connector') write(word);
    const previous = word;
    word = next();
    if (previous.kind === 'number') {
      while (clings(word)) {
        write(word);
        word = next();
      }
      if (word.kind !== 'none' && !isJoint(word)) out += connector;
    } else if (previous.kind === 'connector') {
      write(previous);
    } else if (previous.kind !== 'punctuation') {
      if (word.kind !== 'number') {
        if (!isJoint(word)) out += connector;
        continue;
      }
      if (!left()) continue;
      const number = word;
      word = next();
      if (word.kind !== 'letters') {
        write(number);
        if (!isJoint(word)) out += connector;
        continue;
      }
      out += connector;
      write(number);
      while (clings(word)) {
        write(word);
        word = next();
      }
      if (word.kind !== 'none' && !isJoint(word)) out += connector;
    }
  }
  write(word);
  return out;
}

export function swapCase(text: string): string {
  let _afterSpace = true;
  return Array.from(text, (character) => {
    if (isUpper(character) || isTitle(character)) {
      _afterSpace = false;
      return toLower(character);
    }
    if (isLower(character)) {
      _afterSpace = false;
      return toUpper(character);
    }
    _afterSpace = isSpace(character);
    return character;
  }).join('');
}

/** The first letter of each word goes to lower case. */
export function uncapitalize(text: string): string {
  let first = true;
  return Array.from(text, (character) => {
    if (isSpace(character)) {
      first = true;
      return character;
    }
    const out = first ? toLower(character) : character;
    first = false;
    return out;
  }).join('');
}

/** First byte of each word, each taken for a character, as goutils does. */
export function initials(text: string): string {
  let gap = true;
  let out = '';
  for (const byte of toBytes(text)) {
    const character = String.fromCharCode(byte);
    if (isSpace(character)) gap = true;
    else if (gap) {
      out += character;
      gap = false;
    }
  }
  return out;
}

/** Without white space. The library takes bytes for characters, so beyond ASCII a text from which it takes anything is spoilt. */
export function deleteSpace(text: string): string {
  const bytes = isAscii(text) ? text : Array.from(toBytes(text), (byte) => String.fromCharCode(byte)).join('');
  const kept = bytes.replace(/[\t-\r \x85\xa0]/g, '');
  return kept.length === bytes.length ? text : kept;
}

export function abbreviate(text: string, width: number): string {
  return width < 4 ? text : abbreviateFull(text, 0, width);
}

export function abbreviateBoth(text: string, offset: number, width: number): string {
  if (width < 4 || (offset > 0 && width < 7)) return text;
  return abbreviateFull(text, offset, width);
}

function abbreviateFull(text: string, offset: number, width: number): string {
  const length = byteLength(text);
  if (length <= width) return text;
  let start = Math.min(offset, length);
  if (length - start < width - 3) start = length - (width - 3);
  if (start <= 4) return `${byteSlice(text, 0, width - 3)}...`;
  if (start + width - 3 < length) return `...${abbreviateFull(byteSlice(text, start, length), 0, width - 3)}`;
  return `...${byteSlice(text, length - (width - 3), length)}`;
}

/** goutils.WrapCustom on bytes. */
export function wrap(text: string, width: number, separator: string, cutLongWords: boolean): string {
  const bytes = toBytes(text);
  const limit = Math.max(width, 1);
  const newLine = separator === '' ? '\n' : separator;
  const space = 32;
  const part = (from: number, to: number): string => fromBytes(bytes.subarray(from, to));
  let out = '';
  let at = 0;
  while (bytes.length - at > limit) {
    if (bytes[at] === space) {
      at++;
      continue;
    }
    // No further back than what is left: texts may be long.
    const found = bytes.subarray(at, at + limit + 1).lastIndexOf(space);
    const back = at + found;
    if (found >= 0) {
      out += part(at, back) + newLine;
      at = back + 1;
    } else if (cutLongWords) {
      out += part(at, at + limit) + newLine;
      at += limit;
    } else {
      const ahead = bytes.indexOf(space, at + limit);
      if (ahead < 0) {
        out += part(at, bytes.length);
        at = bytes.length;
      } else {
        out += part(at, ahead) + newLine;
        at = ahead + 1;
      }
    }
  }
  if (at > bytes.length) return fail(`runtime error: slice bounds out of range [${at}:${bytes.length}]`);
  return out + part(at, bytes.length);
}
