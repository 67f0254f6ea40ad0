import { fromUtf8, utf8 } from './encoding.ts';
import { SecurityError } from './errors.ts';

/**
 * One value, one text: the JSON Canonicalization Scheme (RFC 8785), so that a hash or a signature speaks of the value
 * and a reader can demand the very bytes.
 *
 * Numbers are written by ECMAScript's own rule, which is RFC 8785's; keys are ordered by UTF-16 code units, which is
 * what `<` on strings does. Values that JSON cannot say (undefined in a list, NaN, lone surrogates, class instances)
 * are errors here, never dropped; an undefined member of an object is left out, as TypeScript's optional fields need.
 */
const maximumDepth = 100;

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const refuse = (what: string): never => {
  throw new SecurityError('JSON_INVALID', `Cannot write canonical JSON (RFC 8785): ${what}.`, { kind: 'bug' });
};

function writeString(text: string): string {
  if (!text.isWellFormed()) refuse('a string holds a lone surrogate');
  return JSON.stringify(text);
}

function write(value: unknown, depth: number): string {
  if (depth > maximumDepth) refuse(`deeper than ${maximumDepth} levels`);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return writeString(value);
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : refuse(`the number ${value}`);
  if (Array.isArray(value)) return `[${Array.from(value, (item) => write(item, depth + 1)).join(',')}]`;
  if (typeof value === 'object' && (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${writeString(key)}:${write(member, depth + 1)}`);
    return `{${members.join(',')}}`;
  }
  return refuse(`a value of type ${typeof value}`);
}

/** The canonical text of a value of plain objects, lists, strings, finite numbers, booleans and null; at most 100 levels deep. */
export const canonicalJson = (value: unknown): string => write(value, 0);

/** The canonical text as UTF-8 bytes. */
export const canonicalBytes = (value: unknown): Uint8Array<ArrayBuffer> => utf8(canonicalJson(value));

/**
 * The value of bytes that are exactly one canonical JSON text: any other spelling (white space, key order, a key given
 * twice, `1.0`, an escape that is not needed, a byte order mark, trailing bytes) is an error. `limit` is in bytes.
 */
export function parseCanonicalJson(bytes: Uint8Array, limit: number): Json {
  if (bytes.length > limit) throw new SecurityError('JSON_INVALID', `The JSON text has ${bytes.length} bytes; at most ${limit} are read.`);
  const text = fromUtf8(bytes);
  if (text === undefined) throw new SecurityError('JSON_INVALID', 'The JSON text is not well-formed UTF-8.');
  let value: Json;
  let again: string;
  try {
    value = JSON.parse(text);
    again = canonicalJson(value);
  } catch (cause) {
    throw new SecurityError('JSON_INVALID', 'The text is not JSON that has a canonical form (RFC 8785).', { cause });
  }
  if (again !== text) {
    let at = 0;
    while (at < text.length && text[at] === again[at]) at++;
    throw new SecurityError(
      'JSON_INVALID',
      `The JSON text is not in its canonical form (RFC 8785); it departs from it at character ${at}.`,
    );
  }
  return value;
}
