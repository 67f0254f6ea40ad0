/**
 * Go's byte strings on JavaScript's UTF-16 strings.
 *
 * Text stays an ordinary string. A byte that is no valid UTF-8 (a cut character, decoded binary) is held as a lone
 * surrogate U+DC80..U+DCFF, as Python's surrogateescape does, and turns into that byte again when encoded. So all
 * ordinary work runs on native strings, and only what counts or cuts bytes pays for encoding.
 */

const nonAscii = /[^\0-\x7f]/;

export function isAscii(text: string): boolean {
  return !nonAscii.test(text);
}

/** Length in bytes: Go's `len`. */
export function byteLength(text: string): number {
  if (isAscii(text)) return text.length;
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit >= 0xd800 && unit < 0xdc00 && isLow(text.charCodeAt(i + 1))) {
      bytes += 4;
      i++;
    } else if (unit >= 0xdc80 && unit <= 0xdcff) bytes += 1;
    else bytes += 3;
  }
  return bytes;
}

const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

/** The string's bytes. */
export function toBytes(text: string): Uint8Array {
  const out = new Uint8Array(byteLength(text));
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    let unit = text.charCodeAt(i);
    if (unit < 0x80) out[at++] = unit;
    else if (unit < 0x800) {
      out[at++] = 0xc0 | (unit >> 6);
      out[at++] = 0x80 | (unit & 0x3f);
    } else if (unit >= 0xd800 && unit < 0xdc00 && isLow(text.charCodeAt(i + 1))) {
      unit = 0x10000 + ((unit - 0xd800) << 10) + (text.charCodeAt(++i) - 0xdc00);
      out[at++] = 0xf0 | (unit >> 18);
      out[at++] = 0x80 | ((unit >> 12) & 0x3f);
      out[at++] = 0x80 | ((unit >> 6) & 0x3f);
      out[at++] = 0x80 | (unit & 0x3f);
    } else if (unit >= 0xdc80 && unit <= 0xdcff) out[at++] = unit - 0xdc00;
    else {
      // A surrogate without its half cannot come from Go; it is written as U+FFFD.
      const code = unit >= 0xd800 && unit <= 0xdfff ? 0xfffd : unit;
      out[at++] = 0xe0 | (code >> 12);
      out[at++] = 0x80 | ((code >> 6) & 0x3f);
      out[at++] = 0x80 | (code & 0x3f);
    }
  }
  return out;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The string of bytes; what is no UTF-8 is kept as lone surrogates. */
export function fromBytes(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return decodeLoosely(bytes);
  }
}

function decodeLoosely(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let i = 0; i < bytes.length; ) {
    const [code, size] = decodeRune(bytes, i);
    parts.push(code < 0 ? String.fromCharCode(0xdc00 + (bytes[i] as number)) : String.fromCodePoint(code));
    i += size;
  }
  return parts.join('');
}

/** One character at a byte offset: its code point (or -1 where it is none) and its size, as utf8.DecodeRune. */
function decodeRune(bytes: Uint8Array, at: number): [number, number] {
  const first = bytes[at] as number;
  if (first < 0x80) return [first, 1];
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + size > bytes.length) return [-1, 1];
  let code = first & (0xff >> (size + 1));
  for (let k = 1; k < size; k++) {
    const next = bytes[at + k] as number;
    if ((next & 0xc0) !== 0x80) return [-1, 1];
    code = (code << 6) | (next & 0x3f);
  }
  const least = size === 2 ? 0x80 : size === 3 ? 0x800 : 0x10000;
  if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return [-1, 1];
  return [code, size];
}

/** Bytes `start` to `end` of a string: Go's `s[start:end]`. */
export function byteSlice(text: string, start: number, end: number): string {
  return isAscii(text) ? text.slice(start, end) : fromBytes(toBytes(text).subarray(start, end));
}

/** Joins split characters again after byte strings were put together. */
export function normalise(text: string): string {
  return /[\udc80-\udcff]{2}/.test(text) && /(^|[^\ud800-\udbff])[\udc80-\udcff]{2}/.test(text) ? fromBytes(toBytes(text)) : text;
}

const piece = 1024;

/** Go's order of strings: by bytes. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  let i = 0;
  // What long texts have in common is passed by pieces.
  while (length - i > piece && a.slice(i, i + piece) === b.slice(i, i + piece)) i += piece;
  for (; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // UTF-16 order differs from byte order only where surrogates (U+10000 and up) meet U+E000..U+FFFF.
    if (x >= 0xd800 && y >= 0xd800 && x <= 0xdfff !== y <= 0xdfff) return x <= 0xdfff ? 1 : -1;
    return x < y ? -1 : 1;
  }
  return a.length < b.length ? -1 : 1;
}

/** Sorts strings in Go's order, in place. */
export function sortText(texts: string[]): string[] {
  return texts.sort(compareText);
}

/** Made when it is first needed: Unicode's tables take a millisecond. */
let printable: RegExp | undefined;

/** unicode.IsPrint. */
export function isPrint(character: string): boolean {
  const code = character.charCodeAt(0);
  if (character.length === 1 && code < 0x7f) return code >= 0x20;
  printable ??= /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
  return printable.test(character);
}

const named: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};

const plain = /^[ !#-&(-[\]-~]*$/;

/** strconv.Quote: `%q` of a string. */
export function quote(text: string, mark: '"' | "'" = '"'): string {
  if (plain.test(text)) return mark + text + mark;
  let out = mark as string;
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (character === mark) out += `\\${mark}`;
    else if (named[character] !== undefined) out += named[character];
    else if (code >= 0xdc80 && code <= 0xdcff) out += `\\x${(code - 0xdc00).toString(16)}`;
    else if (isPrint(character)) out += character;
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (code < 0x10000) out += `\\u${code.toString(16).padStart(4, '0')}`;
    else out += `\\U${code.toString(16).padStart(8, '0')}`;
  }
  return out + mark;
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

/** strconv.Unquote of `"…"`, `'…'` or a raw string in backquotes; undefined where Go says "invalid syntax". */
export function unquote(quoted: string): string | undefined {
  const mark = quoted[0];
  if (quoted.length < 2 || mark !== quoted.at(-1)) return undefined;
  const body = quoted.slice(1, -1);
  if (mark === '`') return body.includes('`') ? undefined : body.replaceAll('\r', '');
  if (mark !== '"' && mark !== "'") return undefined;
  if (!body.includes('\\')) return body.includes(mark) || body.includes('\n') ? undefined : body;
  let out = '';
  for (let i = 0; i < body.length; i++) {
    const character = body[i] as string;
    if (character === '\n' || character === mark) return undefined;
    if (character !== '\\') {
      out += character;
      continue;
    }
    const kind = body[++i];
    if (kind === undefined) return undefined;
    if (kind === mark) out += mark;
    else if (escapes[kind] !== undefined) out += escapes[kind];
    else {
      const numeric = numericEscape(body, i);
      if (!numeric) return undefined;
      out += numeric.text;
      i = numeric.end;
    }
  }
  return normalise(out);
}

/** `\xHH`, `\uHHHH`, `\UHHHHHHHH`, `\OOO`; `i` is at the letter or first digit. */
function numericEscape(body: string, i: number): { text: string; end: number } | undefined {
  const kind = body[i] as string;
  const width = kind === 'x' ? 2 : kind === 'u' ? 4 : kind === 'U' ? 8 : 3;
  const octal = width === 3;
  const digits = body.slice(octal ? i : i + 1, octal ? i + 3 : i + 1 + width);
  if (digits.length !== width || !(octal ? /^[0-7]+$/ : /^[0-9a-fA-F]+$/).test(digits)) return undefined;
  const code = Number.parseInt(digits, octal ? 8 : 16);
  const end = octal ? i + 2 : i + width;
  if (kind === 'x' || octal) {
    if (code > 255) return undefined;
    return { text: code < 0x80 ? String.fromCharCode(code) : String.fromCharCode(0xdc00 + code), end };
  }
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
  return { text: String.fromCodePoint(code), end };
}

/** unicode.IsSpace. */
const isSpace = (code: number): boolean =>
  code === 32 ||
  (code >= 9 && code <= 13) ||
  (code >= 0x85 &&
    (code === 0x85 ||
      code === 0xa0 ||
      code === 0x1680 ||
      (code >= 0x2000 && code <= 0x200a) ||
      code === 0x2028 ||
      code === 0x2029 ||
      code === 0x202f ||
      code === 0x205f ||
      code === 0x3000));

/** strings.TrimSpace. By loops: a regular expression for the end of a long text takes quadratic time. */
export function trimSpace(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--;
  return trimStart(end === text.length ? text : text.slice(0, end));
}

export function trimStart(text: string): string {
  let start = 0;
  while (start < text.length && isSpace(text.charCodeAt(start))) start++;
  return start === 0 ? text : text.slice(start);
}

/** A value as Go's slog prints it after `key=`. */
export const logValue = (text: string): string => (/^[^\s"=\p{C}]+$/u.test(text) ? text : quote(text));
